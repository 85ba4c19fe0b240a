/* What the parts of the kernel's face to Python share: module.c, module_reader.c, module_fill.c. */
#ifndef NGR_MODULE_H
#define NGR_MODULE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "batch.h"

typedef struct { PyObject_HEAD feature_table *table; } Features;
typedef struct { PyObject_HEAD rules rules; u32 *tags; } Rules;

typedef enum { ENDED, BEGUN, READ, CHECKED, COMPLETE } stage; /* complete: every concept has its feature vector */
typedef struct {
    PyObject_HEAD
    batch batch;
    stage stage;
    int busy;
    PyObject *held; /* list of objects that lend memory */
    u64 width;      /* of the feature vectors */
} Reader;

extern PyTypeObject *features_type, *rules_type;
extern PyType_Spec reader_spec;
extern PyObject *refused; /* the exception: which study of a batch, and why */

/* Whether a buffer holds `n` items of `size` bytes; an error is set otherwise. */
int holds(const Py_buffer *view, u64 n, u64 size, const char *what);

/* Sets the exception for a refusal, or that memory is full; NULL. */
PyObject *refuse(const batch *b, reason why);

/* Whether a step may be taken now. */
static inline int ready(const Reader *self, stage needed) {
    if (!self->busy && self->stage == needed) return 1;
    PyErr_SetString(PyExc_RuntimeError, "the steps of a batch are taken one after another, by one thread");
    return 0;
}

#define WITHOUT_LOCK(self, step)                                                                                       \
    do {                                                                                                               \
        (self)->busy = 1;                                                                                              \
        Py_BEGIN_ALLOW_THREADS step;                                                                                   \
        Py_END_ALLOW_THREADS(self)->busy = 0;                                                                          \
    } while (0)

/* Whether the graphs of all studies are there. */
static inline int checked(const Reader *self) { return ready(self, self->stage == COMPLETE ? COMPLETE : CHECKED); }

/* fill(arrays, starts, width, labels): see module_fill.c. */
PyObject *reader_fill(Reader *self, PyObject *args);

static inline void *new_object(PyTypeObject *type) {
    return ((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
}

static inline void free_object(void *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

#endif
