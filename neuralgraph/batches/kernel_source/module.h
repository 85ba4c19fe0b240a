/* What the two halves of the kernel's face to Python share; see module.c. */
#ifndef NGR_MODULE_H
#define NGR_MODULE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "batch.h"

typedef struct { PyObject_HEAD feature_table *table; } Features;
typedef struct { PyObject_HEAD rules rules; u32 *tags; } Rules;

extern PyTypeObject *features_type, *rules_type;
extern PyType_Spec reader_spec;
extern PyObject *refused; /* the exception: which study of a batch, and why */

/* Whether a buffer holds `n` items of `size` bytes; an error is set otherwise. */
int holds(const Py_buffer *view, u64 n, u64 size, const char *what);

static inline void *new_object(PyTypeObject *type) {
    return ((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
}

static inline void free_object(void *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

#endif
