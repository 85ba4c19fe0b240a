/* A Reader takes one batch after another through the steps of batch.h, for one thread at a time; the interpreter's lock
 * is released while it reads, checks and fills. What Python lends it, it holds until `end`. */
#include "module.h"

PyObject *refuse(const batch *b, reason why) {
    if (why == NO_MEMORY) return PyErr_NoMemory();
    PyObject *values = Py_BuildValue("(Ks)", (unsigned long long)b->refused, REASON_NAMES[why]);
    if (values) PyErr_SetObject(refused, values);
    Py_XDECREF(values);
    return NULL;
}

static int hold(Reader *self, PyObject *lender) { return PyList_Append(self->held, lender) == 0; }

/* Where the bytes of an object are, which is held until the end; `*bytes` is NULL after an error. */
static void borrow(Reader *self, PyObject *lender, const u8 **bytes, u64 *size) {
    PyObject *view = PyMemoryView_FromObject(lender);
    Py_buffer buffer;
    *bytes = NULL;
    if (view && hold(self, view) && PyObject_GetBuffer(view, &buffer, PyBUF_SIMPLE) == 0) {
        /* The memory stays where it is as long as the view is held; of no bytes, any place will do. */
        *bytes = buffer.len ? buffer.buf : (const u8 *)"";
        *size = (u64)buffer.len;
        PyBuffer_Release(&buffer);
    }
    Py_XDECREF(view);
}

static PyObject *reader_make(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(names)) {
    Reader *self = new_object(type);
    if (self && !(self->held = PyList_New(0))) Py_CLEAR(self);
    return (PyObject *)self;
}

static void reader_dealloc(Reader *self) {
    batch_free(&self->batch);
    Py_XDECREF(self->held);
    free_object(self);
}

static PyObject *reader_end(Reader *self, PyObject *Py_UNUSED(none)) {
    if (!ready(self, self->stage)) return NULL;
    self->stage = ENDED;
    batch_end(&self->batch);
    if (PyList_SetSlice(self->held, 0, PyList_Size(self->held), NULL)) return NULL;
    Py_RETURN_NONE;
}

static PyObject *reader_begin(Reader *self, PyObject *args) {
    unsigned long long n;
    int with_x;
    if (!PyArg_ParseTuple(args, "Kp", &n, &with_x) || !ready(self, ENDED)) return NULL;
    if (!batch_begin(&self->batch, n, with_x)) return PyErr_NoMemory();
    self->stage = BEGUN;
    Py_RETURN_NONE;
}

/* place(numbers, source, offsets, lengths, counts, rules): numbers, offsets and lengths int64 [n], counts uint32
 * [5][n]; source is a descriptor, or a list of n buffers. */
static PyObject *reader_place(Reader *self, PyObject *args) {
    Py_buffer numbers, offsets, lengths, counts;
    PyObject *source;
    Rules *rules;
    if (!PyArg_ParseTuple(args, "y*Oy*y*y*O!", &numbers, &source, &offsets, &lengths, &counts, rules_type, &rules))
        return NULL;
    u64 n = (u64)numbers.len / 8;
    int in_memory = PyList_Check(source), descriptor = in_memory ? -1 : (int)PyLong_AsLong(source);
    int good = ready(self, BEGUN) && hold(self, (PyObject *)rules) && !PyErr_Occurred()
            && holds(&offsets, n, 8, "offsets") && holds(&lengths, n, 8, "lengths")
            && holds(&counts, 5 * n, 4, "counts");
    if (good && in_memory && (u64)PyList_Size(source) != n) {
        PyErr_SetString(PyExc_ValueError, "as many records as numbers are needed");
        good = 0;
    }
    for (u64 i = 0; i < n && good; i++) {
        u64 number = u64_at((u8 *)numbers.buf + 8 * i);
        if (number >= self->batch.n) {
            PyErr_SetString(PyExc_ValueError, "no such study in the batch");
            good = 0;
            break;
        }
        place *p = &self->batch.studies[number].place;
        const u32 *count = (u32 *)counts.buf + i;
        *p = (place){NULL, descriptor, u64_at((u8 *)offsets.buf + 8 * i), u64_at((u8 *)lengths.buf + 8 * i),
                     count[0], count[n], count[2 * n], count[3 * n], count[4 * n], &rules->rules};
        if (in_memory) borrow(self, PyList_GetItem(source, (Py_ssize_t)i), &p->bytes, &p->length);
        good = !in_memory || p->bytes;
    }
    PyBuffer_Release(&numbers);
    PyBuffer_Release(&offsets);
    PyBuffer_Release(&lengths);
    PyBuffer_Release(&counts);
    if (good) Py_RETURN_NONE;
    return NULL;
}

static PyObject *reader_read(Reader *self, PyObject *Py_UNUSED(none)) {
    if (!ready(self, BEGUN)) return NULL;
    for (u64 i = 0; i < self->batch.n; i++)
        if (!self->batch.studies[i].place.rules) return PyErr_Format(PyExc_ValueError, "a study has no place");
    reason why;
    WITHOUT_LOCK(self, why = batch_read(&self->batch));
    if (why) return refuse(&self->batch, why);
    self->stage = READ;
    PyObject *frames = PyList_New((Py_ssize_t)self->batch.n_frames);
    for (u64 i = 0; i < self->batch.n_frames && frames; i++) {
        const stream *s = self->batch.frames[i].stream;
        PyObject *view = PyMemoryView_FromMemory((char *)s->stored, (Py_ssize_t)s->stored_bytes, PyBUF_READ);
        if (!view || PyList_SetItem(frames, (Py_ssize_t)i, view)) Py_CLEAR(frames);
    }
    return frames;
}

static PyObject *reader_frame_study(Reader *self, PyObject *args) {
    unsigned long long i;
    if (!PyArg_ParseTuple(args, "K", &i) || !ready(self, READ)) return NULL;
    if (i >= self->batch.n_frames) return PyErr_Format(PyExc_IndexError, "no such frame");
    return PyLong_FromUnsignedLongLong(self->batch.frames[i].study);
}

/* graphs(decoded): what the frames held, a list of bytes. */
static PyObject *reader_graphs(Reader *self, PyObject *args) {
    PyObject *decoded;
    if (!PyArg_ParseTuple(args, "O", &decoded) || !ready(self, READ)) return NULL;
    if (!PyList_Check(decoded) || (u64)PyList_Size(decoded) != self->batch.n_frames || !hold(self, decoded))
        return PyErr_Format(PyExc_ValueError, "a list of what each frame held is needed");
    for (u64 i = 0; i < self->batch.n_frames; i++) {
        stream *s = self->batch.frames[i].stream;
        PyObject *bytes = PyList_GetItem(decoded, (Py_ssize_t)i);
        if (!PyBytes_Check(bytes) || PyBytes_Size(bytes) != (Py_ssize_t)s->decoded_bytes) {
            self->batch.refused = self->batch.frames[i].study;
            return refuse(&self->batch, FRAME);
        }
        s->decoded = (const u8 *)PyBytes_AsString(bytes);
    }
    reason why;
    WITHOUT_LOCK(self, why = batch_graphs(&self->batch));
    if (why) return refuse(&self->batch, why);
    self->stage = CHECKED;
    Py_RETURN_NONE;
}

static PyObject *reader_counts(Reader *self, PyObject *Py_UNUSED(none)) {
    if (!checked(self)) return NULL;
    PyObject *counts = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(4 * N_COUNTS * self->batch.n));
    for (u64 i = 0; i < self->batch.n && counts; i++)
        memcpy(PyBytes_AsString(counts) + 4 * N_COUNTS * i, self->batch.studies[i].n, 4 * N_COUNTS);
    return counts;
}

static PyObject *reader_has_vectors(Reader *self, PyObject *Py_UNUSED(none)) {
    if (!checked(self)) return NULL;
    for (u64 i = 0; i < self->batch.n; i++)
        if (self->batch.studies[i].n[N_CONCEPT_VECTORS]) Py_RETURN_TRUE;
    Py_RETURN_FALSE;
}

static PyObject *reader_may_carry(Reader *self, PyObject *Py_UNUSED(none)) {
    if (!checked(self)) return NULL;
    for (u64 i = 0; i < self->batch.n; i++)
        if (self->batch.studies[i].may_carry) Py_RETURN_TRUE;
    Py_RETURN_FALSE;
}

/* width(i): of the embedding of a study; 0 without patches, whatever its header says. */
static PyObject *reader_width(Reader *self, PyObject *args) {
    unsigned long long i;
    if (!PyArg_ParseTuple(args, "K", &i) || !checked(self)) return NULL;
    if (i >= self->batch.n) return PyErr_Format(PyExc_IndexError, "no such study in the batch");
    const u32 *n = self->batch.studies[i].n;
    return PyLong_FromUnsignedLong(n[N_PATCHES] ? n[EMBEDDING_DIM] : 0);
}

static PyObject *reader_graph(Reader *self, PyObject *args) {
    unsigned long long i;
    if (!PyArg_ParseTuple(args, "K", &i) || !checked(self)) return NULL;
    if (i >= self->batch.n) return PyErr_Format(PyExc_IndexError, "no such study in the batch");
    const stream *graph = &self->batch.studies[i].graph;
    return PyBytes_FromStringAndSize((const char *)graph->decoded, (Py_ssize_t)graph->decoded_bytes);
}

/* The concepts of the batch that have no vector yet, as (study, label, text) each. */
static PyObject *list_missing(const batch *b) {
    PyObject *missing = PyList_New(0);
    for (u64 i = 0; i < b->n && missing; i++)
        for (concept c = {0}; missing && next_concept(&b->studies[i], &c);) {
            if (b->studies[i].features[c.number - 1]) continue;
            /* Not "y#": as Python 3.13 compiles it, an earlier one refuses it. */
            PyObject *text = PyBytes_FromStringAndSize((const char *)c.text, (Py_ssize_t)c.text_bytes);
            PyObject *one = Py_BuildValue("(KIN)", (unsigned long long)i, c.label, text);
            if (!one || PyList_Append(missing, one)) Py_CLEAR(missing);
            Py_XDECREF(one);
        }
    return missing;
}

static PyObject *reader_missing(Reader *self, PyObject *args) {
    PyObject *features;
    i64 n;
    if (!PyArg_ParseTuple(args, "O!", features_type, &features) || !ready(self, CHECKED)) return NULL;
    if (!hold(self, features)) return NULL;
    const feature_table *table = ((Features *)features)->table;
    WITHOUT_LOCK(self, n = batch_features(&self->batch, table));
    if (n < 0) return PyErr_NoMemory();
    if (n) return list_missing(&self->batch);
    self->stage = COMPLETE;
    self->width = features_width(table);
    return PyList_New(0);
}

/* keep(kept, fusion): patches, uint32 [n], and fusion edges, int64 [n][2], of the studies that lose some. */
static PyObject *reader_keep(Reader *self, PyObject *args) {
    Py_buffer kept, fusion;
    if (!PyArg_ParseTuple(args, "y*y*", &kept, &fusion)) return NULL;
    u64 n = self->batch.n;
    reason why = FINE;
    int good = checked(self) && holds(&kept, n, 4, "kept") && holds(&fusion, 2 * n, 8, "fusion");
    if (good) why = batch_keep(&self->batch, kept.buf, fusion.buf);
    PyBuffer_Release(&kept);
    PyBuffer_Release(&fusion);
    if (!good) return NULL;
    if (why) return refuse(&self->batch, why);
    Py_RETURN_NONE;
}

/* starts(into): where each study begins among nodes, pairs and fusion edges, int64 [3][n + 1]; how many there are. */
static PyObject *reader_starts(Reader *self, PyObject *args) {
    Py_buffer into;
    if (!PyArg_ParseTuple(args, "w*", &into)) return NULL;
    u64 n = self->batch.n;
    i64 end[3] = {0};
    int good = checked(self) && holds(&into, 3 * (n + 1), 8, "starts");
    if (good) {
        i64 *start = into.buf;
        batch_starts(&self->batch, start);
        for (u64 i = 0; i < 3; i++) end[i] = start[i * (n + 1) + n];
    }
    PyBuffer_Release(&into);
    return good ? Py_BuildValue("(LLL)", (long long)end[0], (long long)end[1], (long long)end[2]) : NULL;
}

static PyObject *reader_study_ids(Reader *self, PyObject *Py_UNUSED(none)) {
    if (!checked(self)) return NULL;
    PyObject *ids = PyList_New((Py_ssize_t)self->batch.n);
    for (u64 i = 0; i < self->batch.n && ids; i++) {
        const study *s = &self->batch.studies[i];
        u32 size = index_of(s, STRING_BYTES, TEXT_BYTES, 0);
        PyObject *id = PyUnicode_DecodeUTF8((const char *)column_of(s, TEXT), (Py_ssize_t)size, "strict");
        if (id && !PyList_SetItem(ids, (Py_ssize_t)i, id)) continue;
        Py_CLEAR(ids);
        if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) break;
        PyErr_Clear();
        self->batch.refused = i;
        return refuse(&self->batch, STRINGS);
    }
    return ids;
}

/* label_names(names): puts the names of the labels of all studies into a set, UTF-8. */
static PyObject *reader_label_names(Reader *self, PyObject *args) {
    PyObject *names;
    if (!PyArg_ParseTuple(args, "O!", &PySet_Type, &names) || !checked(self)) return NULL;
    for (u64 i = 0; i < self->batch.n; i++) {
        const study *s = &self->batch.studies[i];
        u32 before = 2 + s->n[N_CONCEPTS];
        const u8 *name = column_of(s, TEXT);
        for (u64 k = 0; k < before + (u64)s->n[N_LABELS]; k++) {
            u32 size = index_of(s, STRING_BYTES, TEXT_BYTES, k);
            if (k >= before) {
                PyObject *one = PyBytes_FromStringAndSize((const char *)name, (Py_ssize_t)size);
                int failed = !one || PySet_Add(names, one);
                Py_XDECREF(one);
                if (failed) return NULL;
            }
            name += size;
        }
    }
    Py_RETURN_NONE;
}

#define STEP(name, flags, text) {#name, (PyCFunction)reader_##name, flags, text}
static PyMethodDef reader_methods[] = {
    STEP(begin, METH_VARARGS, "begin(n, with_x): a batch of n studies"),
    STEP(place, METH_VARARGS, "place(numbers, source, offsets, lengths, counts, rules): where some of them are"),
    STEP(read, METH_NOARGS, "read(): headers and compressed streams; the frames to decompress"),
    STEP(frame_study, METH_VARARGS, "frame_study(i): the study that a frame is of"),
    STEP(graphs, METH_VARARGS, "graphs(decoded): checks the graphs, with what the frames held"),
    STEP(counts, METH_NOARGS, "counts(): the counts of all headers, uint32 [n][13]"),
    STEP(has_vectors, METH_NOARGS, "has_vectors(): whether a study has stored vectors of its concepts"),
    STEP(may_carry, METH_NOARGS, "may_carry(): whether a study has no patches and no concepts, but an extension"),
    STEP(width, METH_VARARGS, "width(i): of the embedding of a study, 0 without patches"),
    STEP(graph, METH_VARARGS, "graph(i): the graph stream of a study, decoded"),
    STEP(missing, METH_VARARGS, "missing(features): concepts without a vector, (study, label, text) each"),
    STEP(keep, METH_VARARGS, "keep(kept, fusion): fewer patches"),
    STEP(starts, METH_VARARGS, "starts(into): where each study begins in the arrays; how long they are"),
    STEP(fill, METH_VARARGS, "fill(arrays, starts, width, labels): writes the arrays"),
    STEP(study_ids, METH_NOARGS, "study_ids(): the ids of all studies"),
    STEP(label_names, METH_VARARGS, "label_names(names): adds the names of all labels to a set"),
    STEP(end, METH_NOARGS, "end(): gives back what was lent"),
    {NULL, NULL, 0, NULL},
};
static PyType_Slot reader_slots[] = {
    {Py_tp_new, reader_make}, {Py_tp_dealloc, reader_dealloc}, {Py_tp_methods, reader_methods},
    {Py_tp_doc, "Reader(): takes batches through their steps"}, {0, NULL},
};
PyType_Spec reader_spec = {"neuralgraph.batches._kernel.Reader", sizeof(Reader), 0, Py_TPFLAGS_DEFAULT, reader_slots};
