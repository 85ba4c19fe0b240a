/* The kernel's face to Python: `neuralgraph.batches._kernel`, which only `neuralgraph.batches.kernel` uses.
 *
 * A Reader takes one batch after another through the steps of batch.h, for one thread at a time; the interpreter's lock
 * is released while it reads, checks and fills. What Python lends it, it holds until `end`. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "batch.h"

enum { INTERFACE = 4 }; /* counts what `kernel.py` has to know of: it refuses a kernel left over from another version */

typedef enum { ENDED, READ, CHECKED, BUSY } stage;
typedef struct {
    PyObject_HEAD
    batch batch;
    stage stage;
    PyObject *held; /* list of objects that lend memory */
} Reader;

static PyObject *refused; /* the exception: which study of a batch, and why */

/* Whether a step may be taken now. */
static int ready(const Reader *self, stage needed) {
    if (self->stage == needed && needed != BUSY) return 1;
    PyErr_SetString(PyExc_RuntimeError, "the steps of a batch are taken one after another, by one thread");
    return 0;
}

#define WITHOUT_LOCK(self, step)                                                                                       \
    do {                                                                                                               \
        stage before = (self)->stage;                                                                                  \
        (self)->stage = BUSY;                                                                                          \
        Py_BEGIN_ALLOW_THREADS step;                                                                                   \
        Py_END_ALLOW_THREADS(self)->stage = before;                                                                    \
    } while (0)

/* Whether a step went well; if not, an error is set that says which study is refused, or that memory is full. */
static int went_well(const batch *b, reason why) {
    if (why == NO_MEMORY) PyErr_NoMemory();
    if (why == FINE || why == NO_MEMORY) return why == FINE;
    PyObject *values = Py_BuildValue("(Ks)", (unsigned long long)b->refused, REASON_NAMES[why]);
    if (values) PyErr_SetObject(refused, values);
    Py_XDECREF(values);
    return 0;
}

/* Whether what is lent or asked for can be; an error is set otherwise. */
static int demand(int good, const char *what) {
    if (!good) PyErr_SetString(PyExc_ValueError, what);
    return good;
}

/* Where the `size` bytes of an object are, which is held until the end; NULL after an error. */
static void *borrow(Reader *self, PyObject *lender, int flags, u64 size) {
    PyObject *view = PyMemoryView_FromObject(lender);
    void *bytes = NULL;
    Py_buffer buffer;
    if (view && PyList_Append(self->held, view) == 0 && PyObject_GetBuffer(view, &buffer, flags) == 0) {
        /* The memory stays where it is as long as the view is held; of no bytes, any place will do. */
        bytes = buffer.len ? buffer.buf : "";
        if ((u64)buffer.len != size)
            bytes = PyErr_Format(PyExc_ValueError, "a buffer has %zd bytes, not %llu", buffer.len,
                                 (unsigned long long)size);
        PyBuffer_Release(&buffer);
    }
    Py_XDECREF(view);
    return bytes;
}

/* Puts a new object into a list; whether that worked. */
static int append(PyObject *list, PyObject *item) {
    int failed = !item || PyList_Append(list, item);
    Py_XDECREF(item);
    return !failed;
}

static PyObject *bytes_of(const u8 *bytes, u64 size) {
    return PyBytes_FromStringAndSize((const char *)bytes, (Py_ssize_t)size);
}

static PyObject *reader_end(Reader *self, PyObject *Py_UNUSED(none)) {
    if (!ready(self, self->stage)) return NULL;
    self->stage = ENDED;
    batch_end(&self->batch);
    Py_CLEAR(self->held);
    Py_RETURN_NONE;
}

static void reader_dealloc(Reader *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    batch_free(&self->batch);
    Py_XDECREF(self->held);
    PyObject_Free(self);
    Py_DECREF(type);
}

enum { OF_PLACE = 4 + N_INDEXED }; /* numbers that say where a record is, and what the index states of it */

static int take_places(batch *b, Reader *self, const i64 (*place_of)[OF_PLACE], const rules *rules, i64 n_rules,
                       PyObject *records) {
    for (u64 i = 0; i < b->n; i++) {
        const i64 *at = place_of[i];
        place *p = &b->studies[i].place;
        if (!demand(at[0] >= 0 && at[0] < n_rules && at[2] >= 0 && at[3] >= 0, "no such place")) return 0;
        *p = (place){NULL, (int)at[1], (u64)at[2], (u64)at[3], &rules[at[0]], {0}};
        for (int k = 0; k < N_INDEXED; k++) p->indexed[k] = (u32)at[4 + k];
        PyObject *record = PyList_GetItem(records, (Py_ssize_t)i);
        if (record != Py_None && !(p->bytes = borrow(self, record, PyBUF_SIMPLE, p->length))) return 0;
    }
    return 1;
}

static PyObject *reader_read(Reader *self, PyObject *args) {
    int with_x;
    PyObject *place_of, *rules_of, *records;
    if (!PyArg_ParseTuple(args, "pOOO!", &with_x, &place_of, &rules_of, &PyList_Type, &records)) return NULL;
    if (!ready(self, ENDED) || (!self->held && !(self->held = PyList_New(0)))) return NULL;
    batch *b = &self->batch;
    i64 n_rules = PyObject_Length(rules_of);
    if (n_rules < 0) return NULL;
    if (!batch_begin(b, (u64)PyList_Size(records), with_x)) return PyErr_NoMemory();
    const void *places = borrow(self, place_of, PyBUF_SIMPLE, OF_PLACE * sizeof(i64) * b->n);
    const void *rules = places ? borrow(self, rules_of, PyBUF_SIMPLE, sizeof(struct rules) * (u64)n_rules) : NULL;
    if (!rules || !take_places(b, self, places, rules, n_rules, records)) return NULL;
    reason why;
    WITHOUT_LOCK(self, why = batch_read(b));
    PyObject *frames = went_well(b, why) ? PyList_New(0) : NULL;
    for (u64 i = 0; i < b->n_frames && frames; i++) {
        const stream *s = b->frames[i].stream;
        PyObject *view = PyMemoryView_FromMemory((char *)s->stored, (Py_ssize_t)s->stored_bytes, PyBUF_READ);
        if (!append(frames, view)) Py_CLEAR(frames);
    }
    if (frames) self->stage = READ;
    return frames;
}

static PyObject *reader_graphs(Reader *self, PyObject *decoded) {
    batch *b = &self->batch;
    if (!ready(self, READ) || !demand(PyList_Check(decoded), "a list is needed")) return NULL;
    u64 given = (u64)PyList_Size(decoded);
    reason why = given < b->n_frames ? FRAME : FINE;
    if (why) b->refused = b->frames[given].study;
    if (!went_well(b, why) || PyList_Append(self->held, decoded)) return NULL;
    for (u64 i = 0; i < b->n_frames; i++) {
        stream *s = b->frames[i].stream;
        PyObject *held = PyList_GetItem(decoded, (Py_ssize_t)i);
        int fits = PyBytes_Check(held) && PyBytes_Size(held) == (Py_ssize_t)s->decoded_bytes;
        if (!demand(fits, "a frame held other bytes")) return NULL;
        s->decoded = (const u8 *)PyBytes_AsString(held);
    }
    WITHOUT_LOCK(self, why = batch_graphs(b));
    if (!went_well(b, why)) return NULL;
    self->stage = CHECKED;
    PyObject *facts = bytes_of(NULL, b->n * sizeof b->studies->n);
    for (u64 i = 0; i < b->n && facts; i++)
        memcpy(PyBytes_AsString(facts) + i * sizeof b->studies->n, b->studies[i].n, sizeof b->studies->n);
    return facts;
}

static PyObject *reader_graph(Reader *self, PyObject *number) {
    u64 i = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred() || !ready(self, CHECKED)) return NULL;
    if (!demand(i < self->batch.n, "no such study in the batch")) return NULL;
    const stream *graph = &self->batch.studies[i].graph;
    return bytes_of(graph->decoded, graph->decoded_bytes);
}

/* The names of the labels of all studies, or the ids of the studies. */
static PyObject *texts(const Reader *self, int labels) {
    PyObject *texts = ready(self, CHECKED) ? PyList_New(0) : NULL;
    for (u64 i = 0; i < self->batch.n && texts; i++) {
        const study *s = &self->batch.studies[i];
        text t = text_of(s, labels ? FIRST_CONCEPT + (u64)s->n[N_CONCEPTS] : STUDY_ID);
        for (u64 n = labels ? s->n[N_LABELS] : 1; n && texts; n--, t = next_text(s, t))
            if (!append(texts, PyUnicode_DecodeUTF8((const char *)t.bytes, (Py_ssize_t)t.size, "surrogateescape")))
                Py_CLEAR(texts);
    }
    return texts;
}

static PyObject *reader_study_ids(Reader *self, PyObject *Py_UNUSED(none)) { return texts(self, 0); }
static PyObject *reader_label_names(Reader *self, PyObject *Py_UNUSED(none)) { return texts(self, 1); }

/* The vector of a concept, which is held until the end, or its key in a list of those that are missing. */
static int find_vector(Reader *self, PyObject *known, u64 study, PyObject *key, vector *to, PyObject *missing) {
    PyObject *found = PyDict_GetItemWithError(known, key);
    if (!found) return !PyErr_Occurred() && append(missing, Py_BuildValue("(KO)", (unsigned long long)study, key));
    if (!demand(PyBytes_Check(found) && PyBytes_Size(found) % 6 == 0, "a vector is no bytes")) return 0;
    *to = (vector){(const u8 *)PyBytes_AsString(found), (u32)PyBytes_Size(found) / 6};
    return PyList_Append(self->held, found) == 0;
}

static PyObject *reader_missing(Reader *self, PyObject *known) {
    batch *b = &self->batch;
    if (!ready(self, CHECKED) || !demand(PyDict_Check(known), "a dictionary is needed")) return NULL;
    PyObject *missing = PyList_New(0);
    for (u64 i = 0; i < b->n && missing; i++) {
        const study *s = &b->studies[i];
        text t = text_of(s, FIRST_CONCEPT);
        for (u32 k = 0; k < s->n[N_CONCEPTS] && missing; k++, t = next_text(s, t)) {
            PyObject *key = bytes_of(NULL, 1 + (u64)t.size);
            if (key) {
                char *bytes = PyBytes_AsString(key);
                bytes[0] = (char)number_of(s, CONCEPT_LABEL, k);
                memcpy(bytes + 1, t.bytes, t.size);
            }
            if (!key || !find_vector(self, known, i, key, &s->vectors[k], missing)) Py_CLEAR(missing);
            Py_XDECREF(key);
        }
    }
    return missing;
}

static PyObject *reader_keep(Reader *self, PyObject *args) {
    batch *b = &self->batch;
    PyObject *kept_of, *fusion_of;
    if (!PyArg_ParseTuple(args, "OO", &kept_of, &fusion_of) || !ready(self, CHECKED)) return NULL;
    const void *kept = borrow(self, kept_of, PyBUF_SIMPLE, sizeof(u32) * b->n);
    const void *fusion = kept ? borrow(self, fusion_of, PyBUF_SIMPLE, 2 * sizeof(i64) * b->n) : NULL;
    if (!fusion || !went_well(b, batch_keep(b, kept, fusion))) return NULL;
    Py_RETURN_NONE;
}

/* Bytes of a value of each array, values of a row, and what it has rows for. */
enum { WIDTH = 254, TARGETS = 255 };
static const struct { u8 bytes, values, rows; } ARRAYS[N_ARRAYS] = {
    [X] = {4, WIDTH, NODES}, [EDGE_INDEX] = {8, 2, PAIRS}, [EDGE_TYPE] = {8, 1, PAIRS}, [NODE_TYPE] = {8, 1, NODES},
    [NODE_VIEW] = {8, 1, NODES}, [POS] = {4, 2, NODES}, [ATTENTION] = {4, 1, NODES},
    [FUSION_EDGE_INDEX] = {8, 2, FUSIONS}, [Y] = {4, TARGETS, STUDIES}, [Y_MASK] = {1, TARGETS, STUDIES},
    [GRAPH] = {8, 1, NODES},
};

static int take_arrays(Reader *self, PyObject *given, arrays *out, u64 n_targets) {
    if (!demand(PyList_Size(given) == N_ARRAYS, "all arrays are needed")) return 0;
    for (int i = 0; i < N_ARRAYS; i++) {
        PyObject *array = PyList_GetItem(given, i);
        u64 values = ARRAYS[i].values, rows = out->rows[ARRAYS[i].rows];
        u64 size = rows * ARRAYS[i].bytes * (values == WIDTH ? out->width : values == TARGETS ? n_targets : values);
        if (array != Py_None && !(out->array[i] = borrow(self, array, PyBUF_WRITABLE, size))) return 0;
    }
    return demand(!out->array[Y] == !out->array[Y_MASK], "y and y_mask are needed together")
        && demand(!out->array[X] || self->batch.with_x, "embeddings are needed for x");
}

static int take_targets(Reader *self, PyObject *text, PyObject *names, targets *labels) {
    u64 size = 0;
    i64 n = PyObject_Length(names);
    labels->n = n < 0 ? 0 : (u64)n;
    labels->names = n < 0 ? NULL : borrow(self, names, PyBUF_SIMPLE, sizeof *labels->names * labels->n);
    if (!labels->names) return 0;
    for (i64 i = 0; i < n; i++) {
        size += labels->names[i].bytes;
        if (!demand(labels->names[i].column < n, "no such column of y")) return 0;
    }
    labels->text = borrow(self, text, PyBUF_SIMPLE, size);
    return labels->text != NULL;
}

static PyObject *reader_starts(Reader *self, PyObject *given) {
    u64 rows[N_ROWS];
    if (!ready(self, CHECKED)) return NULL;
    i64 *starts = borrow(self, given, PyBUF_WRITABLE, 3 * sizeof *starts * (self->batch.n + 1));
    if (!starts) return NULL;
    batch_rows(&self->batch, rows, starts);
    Py_RETURN_NONE;
}

static PyObject *reader_fill(Reader *self, PyObject *args) {
    PyObject *given, *text, *names;
    unsigned int width;
    targets labels;
    if (!PyArg_ParseTuple(args, "O!I(OOI)", &PyList_Type, &given, &width, &text, &names, &labels.uncertain)
        || !ready(self, CHECKED))
        return NULL;
    arrays out = {.width = width};
    batch_rows(&self->batch, out.rows, NULL);
    if (!take_targets(self, text, names, &labels) || !take_arrays(self, given, &out, labels.n)) return NULL;
    reason why;
    WITHOUT_LOCK(self, why = batch_fill(&self->batch, &out, &labels));
    if (!went_well(&self->batch, why)) return NULL;
    Py_RETURN_NONE;
}

#define STEP(name, flags) {#name, (PyCFunction)reader_##name, flags, NULL} /* what they do says `_kernel.pyi` */
static PyMethodDef steps[] = {
    STEP(read, METH_VARARGS), STEP(graphs, METH_O), STEP(graph, METH_O), STEP(study_ids, METH_NOARGS),
    STEP(label_names, METH_NOARGS), STEP(missing, METH_O), STEP(keep, METH_VARARGS), STEP(starts, METH_O),
    STEP(fill, METH_VARARGS), STEP(end, METH_NOARGS),
    {NULL, NULL, 0, NULL},
};
static PyType_Slot slots[] = {
    {Py_tp_dealloc, reader_dealloc}, {Py_tp_methods, steps}, {Py_tp_doc, "Takes batches through their steps."},
    {0, NULL},
};
static PyType_Spec reader = {"neuralgraph.batches._kernel.Reader", sizeof(Reader), 0, Py_TPFLAGS_DEFAULT, slots};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_kernel", .m_size = -1,
    .m_doc = "From record bytes to the arrays of a batch; see kernel_source/batch.h.",
};

/* Whether a value is in the module now. */
static int add(PyObject *module, const char *name, PyObject *value) {
    int failed = !value || PyModule_AddObjectRef(module, name, value);
    Py_XDECREF(value);
    return !failed;
}

PyMODINIT_FUNC PyInit__kernel(void) {
    const char *way = checksum_setup();
    planes_setup();
    PyObject *module = PyModule_Create(&definition);
    if (!module) return NULL;
    refused = PyErr_NewExceptionWithDoc("neuralgraph.batches._kernel.Refused",
                                        "Which study of a batch is refused, and why.", NULL, NULL);
    Py_XINCREF(refused);
    if (add(module, "Refused", refused) && add(module, "Reader", PyType_FromSpec(&reader))
        && add(module, "CHECKSUM", PyUnicode_FromString(way)) && add(module, "INTERFACE", PyLong_FromLong(INTERFACE))
        && add(module, "UNSUPPORTED", PyUnicode_FromString(REASON_NAMES[UNSUPPORTED]))
        && add(module, "OTHER_WIDTH", PyUnicode_FromString(REASON_NAMES[OTHER_WIDTH])))
        return module;
    Py_DECREF(module);
    return NULL;
}
