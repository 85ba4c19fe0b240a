/* The last step of a Reader: the arrays that Python lends are filled. */
#include <stddef.h>

#include "module.h"

/* The arrays that `fill` writes: bytes of a value, values of a row, and what it has a row for. */
enum { NODES, PAIRS, FUSIONS, STUDIES, WIDTH = 0, TARGETS = 255 };
static const struct { const char *name; u32 place; u8 bytes, values, rows; } ARRAYS[] = {
    {"x", offsetof(arrays, x), 4, WIDTH, NODES},
    {"pos", offsetof(arrays, pos), 4, 2, NODES},
    {"attention", offsetof(arrays, attention), 4, 1, NODES},
    {"y", offsetof(arrays, y), 4, TARGETS, STUDIES},
    {"edge_index", offsetof(arrays, edge_index), 8, 2, PAIRS},
    {"edge_type", offsetof(arrays, edge_type), 8, 1, PAIRS},
    {"node_type", offsetof(arrays, node_type), 8, 1, NODES},
    {"node_view", offsetof(arrays, node_view), 8, 1, NODES},
    {"fusion_edge_index", offsetof(arrays, fusion_edge_index), 8, 2, FUSIONS},
    {"graph", offsetof(arrays, graph), 8, 1, NODES},
    {"y_mask", offsetof(arrays, y_mask), 1, TARGETS, STUDIES},
};
enum { N_ARRAYS = sizeof ARRAYS / sizeof *ARRAYS };

/* Borrows the arrays of a dictionary; how many, or -1 after an error. */
static int take_arrays(PyObject *given, arrays *out, u64 n_studies, u64 n_labels, Py_buffer views[N_ARRAYS]) {
    const u64 rows[] = {[NODES] = (u64)out->n_nodes, [PAIRS] = (u64)out->n_pairs, [FUSIONS] = (u64)out->n_fusion,
                        [STUDIES] = n_studies};
    int taken = 0;
    for (int i = 0; i < N_ARRAYS; i++) {
        PyObject *array = PyDict_GetItemString(given, ARRAYS[i].name);
        if (!array) continue;
        u64 values = ARRAYS[i].values == WIDTH ? out->width : ARRAYS[i].values == TARGETS ? n_labels : ARRAYS[i].values;
        int failed = PyObject_GetBuffer(array, &views[taken], PyBUF_WRITABLE);
        if (!failed && holds(&views[taken++], rows[ARRAYS[i].rows] * values, ARRAYS[i].bytes, ARRAYS[i].name)) {
            memcpy((char *)out + ARRAYS[i].place, &views[taken - 1].buf, sizeof(void *));
            continue;
        }
        while (taken) PyBuffer_Release(&views[--taken]);
        return -1;
    }
    return taken;
}

/* Whether the columns of `y` are what they must be. */
static int take_targets(targets *labels, const Py_buffer *text, const Py_buffer *ends, const Py_buffer *columns) {
    u64 n = (u64)ends->len / 4, before = 0;
    if (!holds(columns, n, 4, "the columns of labels")) return 0;
    *labels = (targets){n, text->buf, ends->buf, columns->buf, labels->uncertain};
    for (u64 i = 0; i < n; i++) {
        if (labels->end[i] < before || labels->end[i] > (u64)text->len || labels->column[i] >= n) {
            PyErr_SetString(PyExc_ValueError, "labels outside their text or their columns");
            return 0;
        }
        before = labels->end[i];
    }
    return 1;
}

/* fill(arrays, starts, width, (text, ends, columns, uncertain)): starts of nodes, pairs and fusion edges, int64
 * [3][n + 1]; labels as `targets` of batch.h. */
PyObject *reader_fill(Reader *self, PyObject *args) {
    PyObject *given;
    Py_buffer starts, text, ends, columns, views[N_ARRAYS];
    unsigned long long width;
    targets labels = {0};
    if (!PyArg_ParseTuple(args, "O!y*K(y*y*y*I)", &PyDict_Type, &given, &starts, &width, &text, &ends, &columns,
                          &labels.uncertain))
        return NULL;
    u64 n = self->batch.n;
    reason why = FINE;
    int taken = -1;
    if (checked(self) && holds(&starts, 3 * (n + 1), 8, "starts") && take_targets(&labels, &text, &ends, &columns)) {
        const i64 *start = starts.buf;
        arrays out = {.node_start = start, .pair_start = start + n + 1, .fusion_start = start + 2 * (n + 1),
                      .width = width};
        out.n_nodes = out.node_start[n], out.n_pairs = out.pair_start[n], out.n_fusion = out.fusion_start[n];
        taken = take_arrays(given, &out, n, labels.n, views);
        int vectors = self->stage == COMPLETE && self->width == width;
        if (taken >= 0 && (!out.graph || !out.y != !out.y_mask || (out.x && !(vectors && self->batch.with_x)))) {
            PyErr_SetString(PyExc_ValueError, "graph, y and y_mask together, and vectors for x are needed");
            while (taken) PyBuffer_Release(&views[--taken]);
            taken = -1;
        }
        if (taken >= 0) WITHOUT_LOCK(self, why = batch_fill(&self->batch, &out, &labels));
    }
    for (int i = 0; i < taken; i++) PyBuffer_Release(&views[i]);
    PyBuffer_Release(&starts);
    PyBuffer_Release(&text);
    PyBuffer_Release(&ends);
    PyBuffer_Release(&columns);
    if (taken < 0) return NULL;
    if (why) return refuse(&self->batch, why);
    Py_RETURN_NONE;
}
