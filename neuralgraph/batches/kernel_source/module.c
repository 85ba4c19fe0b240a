/* The kernel's face to Python: `neuralgraph.batches._kernel`, which only `neuralgraph.batches.kernel` uses.
 * Here what a batch refers to; the batch itself is in module_reader.c. */
#include "module.h"

#include "checksum.h"

enum { INTERFACE = 2 }; /* counts what `kernel.py` has to know of: it refuses a kernel left over from another version */

PyTypeObject *features_type, *rules_type;
PyObject *refused;

int holds(const Py_buffer *view, u64 n, u64 size, const char *what) {
    if ((u64)view->len == n * size) return 1;
    PyErr_Format(PyExc_ValueError, "%s has %zd bytes, not %llu", what, view->len, (unsigned long long)(n * size));
    return 0;
}

static PyObject *features_make(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(names)) {
    unsigned long long width;
    if (!PyArg_ParseTuple(args, "K", &width)) return NULL;
    Features *self = new_object(type);
    if (!self) return NULL;
    self->table = features_new(width);
    if (self->table) return (PyObject *)self;
    Py_DECREF(self);
    return PyErr_NoMemory();
}

static void features_dealloc(Features *self) {
    features_free(self->table);
    free_object(self);
}

static PyObject *features_bytes_of(Features *self, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLongLong(features_bytes(self->table));
}

static PyObject *features_add_one(Features *self, PyObject *args) {
    unsigned int label;
    Py_buffer text, places, values;
    if (!PyArg_ParseTuple(args, "Iy*y*y*", &label, &text, &places, &values)) return NULL;
    u64 n = (u64)places.len / 2, width = features_width(self->table);
    int good = holds(&values, n, 4, "the values");
    for (u64 i = 0; i < n && good; i++)
        if (u16_at((u8 *)places.buf + 2 * i) >= width) {
            PyErr_SetString(PyExc_ValueError, "a place outside the vector");
            good = 0;
        }
    int added = good && features_add(self->table, label, text.buf, (u32)text.len, places.buf, values.buf, (u32)n);
    PyBuffer_Release(&text);
    PyBuffer_Release(&places);
    PyBuffer_Release(&values);
    return good ? PyBool_FromLong(added) : NULL;
}

static PyMethodDef features_methods[] = {
    {"add", (PyCFunction)features_add_one, METH_VARARGS, "add(label, text, places, values): whether there was room"},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef features_attributes[] = {
    {"nbytes", (getter)features_bytes_of, NULL, "bytes that the vectors take", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot features_slots[] = {
    {Py_tp_new, features_make}, {Py_tp_dealloc, features_dealloc}, {Py_tp_methods, features_methods},
    {Py_tp_getset, features_attributes}, {Py_tp_doc, "Features(width): feature vectors of concepts by label and text"},
    {0, NULL},
};
static PyType_Spec features_spec = {"neuralgraph.batches._kernel.Features", sizeof(Features), 0,
                                    Py_TPFLAGS_DEFAULT, features_slots};


static PyObject *rules_make(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(names)) {
    Py_buffer limits, tags;
    if (!PyArg_ParseTuple(args, "y*y*", &limits, &tags)) return NULL;
    Rules *self = NULL;
    if (holds(&limits, 5 + N_COUNTS, 8, "the limits"))
        self = new_object(type);
    if (self && !(self->tags = PyMem_Malloc((size_t)tags.len + 1))) {
        Py_CLEAR(self);
        PyErr_NoMemory();
    }
    if (self) {
        u64 values[5 + N_COUNTS];
        memcpy(values, limits.buf, sizeof values);
        memcpy(self->tags, tags.buf, (size_t)tags.len);
        self->rules = (rules){values[0], values[1], values[2], values[3], values[4],
                              {0}, self->tags, (u64)tags.len / 4};
        memcpy(self->rules.count, values + 5, 8 * N_COUNTS);
    }
    PyBuffer_Release(&limits);
    PyBuffer_Release(&tags);
    return (PyObject *)self;
}

static void rules_dealloc(Rules *self) {
    PyMem_Free(self->tags);
    free_object(self);
}

static PyType_Slot rules_slots[] = {
    {Py_tp_new, rules_make}, {Py_tp_dealloc, rules_dealloc},
    {Py_tp_doc, "Rules(limits, method_tags): what is accepted of the records of a file"}, {0, NULL},
};
static PyType_Spec rules_spec = {"neuralgraph.batches._kernel.Rules", sizeof(Rules), 0, Py_TPFLAGS_DEFAULT,
                                 rules_slots};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_kernel", "From record bytes to the arrays of a batch; see kernel_source/batch.h.", -1,
    NULL, NULL, NULL, NULL, NULL,
};

static int add(PyObject *module, const char *name, PyObject *value) {
    int failed = !value || PyModule_AddObjectRef(module, name, value);
    return !failed;
}

PyMODINIT_FUNC PyInit__kernel(void) {
    checksum_setup();
    planes_setup();
    PyObject *module = PyModule_Create(&definition);
    if (!module) return NULL;
    features_type = (PyTypeObject *)PyType_FromSpec(&features_spec);
    rules_type = (PyTypeObject *)PyType_FromSpec(&rules_spec);
    refused = PyErr_NewExceptionWithDoc("neuralgraph.batches._kernel.Refused",
                                        "Which study of a batch is refused, and why.", NULL, NULL);
    PyObject *reader_type = PyType_FromSpec(&reader_spec);
    PyObject *way = PyUnicode_FromString(checksum_way());
    int good = add(module, "Features", (PyObject *)features_type) && add(module, "Rules", (PyObject *)rules_type)
            && add(module, "Reader", reader_type) && add(module, "Refused", refused) && add(module, "CHECKSUM", way)
            && !PyModule_AddIntConstant(module, "INTERFACE", INTERFACE)
            && !PyModule_AddStringConstant(module, "OTHER_WIDTH", REASON_NAMES[OTHER_WIDTH])
            && !PyModule_AddStringConstant(module, "UNSUPPORTED", REASON_NAMES[UNSUPPORTED]);
    Py_XDECREF(reader_type);
    Py_XDECREF(way);
    if (good) return module;
    Py_DECREF(module);
    return NULL;
}
