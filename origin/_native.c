/* The hot path of the data plane, compiled: what each media request goes through.

   read_head  the head of a plain media request, as request.read_head reads it in Python
   send_now   bytes in memory onto a socket
   push_all   bytes in memory and a stretch of a file onto each of many sockets
   stamp      what tells whether a file has changed, as resource.stamp does
   count      an answer into a row of metrics

   Each does what the function of that name in Python does, which is used where this module was not
   built, and which the tests hold it to. Only the stable ABI is used, so one build serves every
   CPython from 3.11 on. The interpreter lock is held, but where the disk may be waited for: what is
   sent at a time is bounded, and to get the lock back from a busy thread can take milliseconds. */

#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <errno.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* What a byte may be part of. */
enum { PATH = 1, QUERY = 2, NAME = 4, VALUE = 8, HOST = 16, LITERAL = 32, DIGIT = 64 };

static unsigned char kind[256];

static void mark(const char *bytes, int what)
{
    for (; *bytes; bytes++)
        kind[(unsigned char)*bytes] |= (unsigned char)what;
}

static void mark_all(void)
{
    const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *digits = "0123456789";

    mark(letters, PATH | QUERY | NAME | HOST);
    mark(digits, PATH | QUERY | NAME | HOST | LITERAL | DIGIT);
    mark("_./~%!$&'()*+,;=:@-", PATH | QUERY);
    mark("?", QUERY);
    mark("_!#$%&'*+.^`|~-", NAME);
    mark("._~!$&'()*+;=%-", HOST);
    mark("ABCDEFabcdefv:.", LITERAL);
    kind['\t'] |= VALUE;
    for (int byte = 0x20; byte < 256; byte++)
        if (byte != 0x7f)
            kind[byte] |= VALUE;
}

/* The field names that mean something here. An answer may depend on the first PLAIN of them; a head
   with one of the others is not plain, nor is one with any other name of the form if-[a-z-]+. */
#define PLAIN 8
static const struct { const char *name; Py_ssize_t length; } MEANT[] = {
#define FIELD(name) {name, sizeof(name) - 1}
    FIELD("host"), FIELD("range"), FIELD("accept-encoding"), FIELD("if-match"),
    FIELD("if-none-match"), FIELD("if-range"), FIELD("if-modified-since"),
    FIELD("if-unmodified-since"),
    FIELD("connection"), FIELD("keep-alive"), FIELD("proxy-connection"), FIELD("upgrade"),
    FIELD("content-length"), FIELD("transfer-encoding"), FIELD("te"), FIELD("trailer"),
    FIELD("expect"),
#undef FIELD
};
#define MEANINGS ((int)(sizeof MEANT / sizeof *MEANT))
enum { NOTHING = -1, NOT_PLAIN = -2, TELLING = -3 };

static PyObject *names[PLAIN]; /* the keys, made once */
static PyObject *get, *head;   /* the methods */

static const unsigned char *skip(const unsigned char *at, const unsigned char *end, int what)
{
    while (at < end && kind[*at] & what)
        at++;
    return at;
}

static int lower(int byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

static int is_name(const unsigned char *at, const char *name, Py_ssize_t length)
{
    for (Py_ssize_t i = 0; i < length; i++)
        if (lower(at[i]) != name[i])
            return 0;
    return 1;
}

/* What the name means: an index below PLAIN, TELLING, NOTHING, or NOT_PLAIN. */
static int meaning(const unsigned char *at, Py_ssize_t length)
{
    if (length > 5 && is_name(at, "cmcd-", 5))
        return TELLING;
    for (int i = 0; i < MEANINGS; i++)
        if (length == MEANT[i].length && is_name(at, MEANT[i].name, length))
            return i < PLAIN ? i : NOT_PLAIN;
    if (length < 4 || !is_name(at, "if-", 3))
        return NOTHING;
    for (Py_ssize_t i = 3; i < length; i++)
        if (at[i] != '-' && (lower(at[i]) < 'a' || lower(at[i]) > 'z'))
            return NOTHING;
    return NOT_PLAIN;
}

/* uri-host [ ":" port ], RFC 9110 section 7.2. */
static int is_host(const unsigned char *at, const unsigned char *end)
{
    if (at < end && *at == '[') {
        const unsigned char *closed = skip(at + 1, end, LITERAL);
        if (closed == at + 1 || closed == end || *closed != ']')
            return 0;
        at = closed + 1;
    }
    else
        at = skip(at, end, HOST);
    if (at < end && *at == ':')
        at = skip(at + 1, end, DIGIT);
    return at == end;
}

/* Whether the path begins with one of the prefixes; -1 with an exception. */
static int is_media(const unsigned char *path, Py_ssize_t size, PyObject *media)
{
    Py_ssize_t count = PyTuple_Size(media);
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_ssize_t length;
        const char *prefix = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(media, i), &length);
        if (prefix == NULL)
            return -1;
        if (length <= size && memcmp(path, prefix, length) == 0)
            return 1;
    }
    return count < 0 ? -1 : 0;
}

/* Reads the field lines, from the line end before the first; adds those with a meaning to headers,
   and says whether one is of CMCD. 1: all are plain, and the head ends there. 0: they are not. -1:
   an exception. */
static int read_lines(const unsigned char *at, const unsigned char *end, Py_ssize_t most,
                      PyObject *headers, int *tells)
{
    int seen = 0;
    for (Py_ssize_t count = 0; end - at > 4; count++) {
        if (at[0] != '\r' || at[1] != '\n' || count >= most)
            return 0;
        const unsigned char *name = at + 2;
        const unsigned char *colon = skip(name, end, NAME);
        if (colon == name || colon == end || *colon != ':')
            return 0;
        at = skip(colon + 1, end, VALUE);
        int means = meaning(name, colon - name);
        if (means == TELLING)
            *tells = 1;
        if (means == TELLING || means == NOTHING)
            continue;
        if (means == NOT_PLAIN || seen & 1 << means)
            return 0;
        seen |= 1 << means;
        const unsigned char *first = colon + 1, *last = at;
        while (first < last && (*first == ' ' || *first == '\t'))
            first++;
        while (last > first && (last[-1] == ' ' || last[-1] == '\t'))
            last--;
        if (means == 0 && !is_host(first, last))
            return 0;
        PyObject *value = PyBytes_FromStringAndSize((const char *)first, last - first);
        if (value == NULL)
            return -1;
        int failed = PyDict_SetItem(headers, names[means], value);
        Py_DECREF(value);
        if (failed)
            return -1;
    }
    return seen & 1 && end - at == 4 && memcmp(at, "\r\n\r\n", 4) == 0;
}

/* (data, media, head_bytes, target_bytes, header_lines): what it reads, or None. */
static PyObject *read_head(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    char *text;
    Py_ssize_t size;

    if (count != 5) {
        PyErr_SetString(PyExc_TypeError, "read_head takes 5 arguments");
        return NULL;
    }
    if (PyBytes_AsStringAndSize(arguments[0], &text, &size) < 0)
        return NULL;
    Py_ssize_t head_bytes = PyLong_AsSsize_t(arguments[2]);
    Py_ssize_t target_bytes = PyLong_AsSsize_t(arguments[3]);
    Py_ssize_t header_lines = PyLong_AsSsize_t(arguments[4]);
    if (PyErr_Occurred())
        return NULL;

    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    PyObject *method;
    if (size > head_bytes)
        Py_RETURN_NONE;
    if (size > 4 && memcmp(at, "GET ", 4) == 0) {
        method = get;
        at += 4;
    }
    else if (size > 5 && memcmp(at, "HEAD ", 5) == 0) {
        method = head;
        at += 5;
    }
    else
        Py_RETURN_NONE;
    const unsigned char *target = at;
    if (*at != '/')
        Py_RETURN_NONE;
    const unsigned char *path_end = at = skip(at, end, PATH);
    if (at < end && *at == '?')
        at = skip(at + 1, end, QUERY);
    const unsigned char *target_end = at;
    if (target_end - target > target_bytes || end - at < 9 || memcmp(at, " HTTP/1.1", 9) != 0)
        Py_RETURN_NONE;
    int media = is_media(target, path_end - target, arguments[1]);
    if (media < 0)
        return NULL;
    if (!media)
        Py_RETURN_NONE;

    PyObject *headers = PyDict_New();
    if (headers == NULL)
        return NULL;
    int tells = memmem(target, target_end - target, "CMCD=", 5) != NULL;
    int plain = read_lines(at + 9, end, header_lines, headers, &tells);
    PyObject *found = NULL;
    if (plain > 0)
        found = Py_BuildValue("Os#y#OO", method, target, path_end - target, target,
                              target_end - target, headers, tells ? Py_True : Py_False);
    Py_DECREF(headers);
    if (plain == 0)
        Py_RETURN_NONE;
    return found;
}

#define MOST_PARTS 8

/* (descriptor, parts): how many bytes of these the socket took; 0 also where it has failed, which
   is found out by whoever sends the rest. */
static PyObject *send_now(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    struct iovec parts[MOST_PARTS];
    struct msghdr message = {.msg_iov = parts};

    if (count != 2 || !PyTuple_Check(arguments[1])) {
        PyErr_SetString(PyExc_TypeError, "send_now takes a descriptor and a tuple");
        return NULL;
    }
    long sock = PyLong_AsLong(arguments[0]);
    if (sock == -1 && PyErr_Occurred())
        return NULL;
    Py_ssize_t all = PyTuple_Size(arguments[1]);
    for (; message.msg_iovlen < MOST_PARTS && (Py_ssize_t)message.msg_iovlen < all;
         message.msg_iovlen++) {
        char *start;
        Py_ssize_t size;
        PyObject *part = PyTuple_GetItem(arguments[1], message.msg_iovlen);
        if (PyBytes_AsStringAndSize(part, &start, &size) < 0)
            return NULL;
        parts[message.msg_iovlen] = (struct iovec){start, size};
    }
    ssize_t taken = sendmsg((int)sock, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return PyLong_FromSsize_t(taken < 0 ? 0 : taken);
}

/* How a push ended; the values are those of spans.Why. */
enum { WHOLE, FULL, COLD, SHORT, BROKEN };

/* Whether the byte can be read without waiting, as far as that can be told. */
static int is_resident(int file, off_t position)
{
#ifdef RWF_NOWAIT
    char byte;
    struct iovec room = {&byte, 1};
    return preadv2(file, &room, 1, position, RWF_NOWAIT) >= 0 || errno != EAGAIN;
#else
    return 1;
#endif
}

static int why(void)
{
    return errno == EAGAIN || errno == EINTR ? FULL : BROKEN;
}

/* Sends front and then count bytes of the file from start; adds to sent how many were taken. */
static int push(int sock, const char *front, Py_ssize_t size, int file, off_t start,
                Py_ssize_t count, int wait, Py_ssize_t *sent)
{
    if (size > 0) {
        ssize_t taken = send(sock, front, size, MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL);
        if (taken < 0)
            return why();
        *sent += taken;
        if (taken < size)
            return FULL;
    }
    if (!wait && !is_resident(file, start + count - 1))
        return COLD;
    PyThreadState *state = wait ? PyEval_SaveThread() : NULL;
    ssize_t taken = sendfile(sock, file, &start, count);
    if (state != NULL)
        PyEval_RestoreThread(state);
    if (taken < 0)
        return why();
    *sent += taken;
    return taken == 0 ? SHORT : taken == count ? WHOLE : FULL;
}

/* One (socket, front, file, start, count, wait). NULL: an exception. */
static PyObject *push_one(PyObject *item)
{
    char *front;
    Py_ssize_t size, sent = 0;

    if (PyTuple_Size(item) != 6) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "a push has 6 items");
        return NULL;
    }
    int sock = PyObject_AsFileDescriptor(PyTuple_GetItem(item, 0));
    if (sock < 0 || PyBytes_AsStringAndSize(PyTuple_GetItem(item, 1), &front, &size) < 0)
        return NULL;
    int file = PyObject_AsFileDescriptor(PyTuple_GetItem(item, 2));
    if (file < 0)
        return NULL;
    long long start = PyLong_AsLongLong(PyTuple_GetItem(item, 3));
    Py_ssize_t count = PyLong_AsSsize_t(PyTuple_GetItem(item, 4));
    int wait = PyObject_IsTrue(PyTuple_GetItem(item, 5));
    if (PyErr_Occurred())
        return NULL;
    if (start < 0 || count <= 0 || start > PY_SSIZE_T_MAX - count) {
        PyErr_SetString(PyExc_ValueError, "no stretch of a file");
        return NULL;
    }
    long ended = push(sock, front, size, file, start, count, wait, &sent);
    return Py_BuildValue("nl", sent, ended);
}

/* Does what each says, one after the other: a list of the bytes sent and how it ended. */
static PyObject *push_all(PyObject *module, PyObject *pushes)
{
    Py_ssize_t count = PyList_Size(pushes);
    PyObject *ends = count < 0 ? NULL : PyList_New(count);
    for (Py_ssize_t i = 0; ends != NULL && i < count; i++) {
        PyObject *item = PyList_GetItem(pushes, i);
        PyObject *ended = item == NULL ? NULL : push_one(item);
        if (ended == NULL)
            Py_CLEAR(ends);
        else
            PyList_SetItem(ends, i, ended);
    }
    return ends;
}

/* Of a descriptor, the file's time of change in nanoseconds and its size in bytes. */
static PyObject *stamp(PyObject *module, PyObject *descriptor)
{
    struct stat status;
    int fd = PyObject_AsFileDescriptor(descriptor);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    long long seconds = status.st_mtim.tv_sec;
    return Py_BuildValue("LL", seconds * 1000000000 + status.st_mtim.tv_nsec,
                         (long long)status.st_size);
}

/* Adds to a place of the row, if it is one. */
static int add(const Py_buffer *row, PyObject *place, Py_ssize_t further, double value)
{
    Py_ssize_t at = PyLong_AsSsize_t(place);
    if (at == -1 && PyErr_Occurred())
        return -1;
    at += further;
    if (at < 0 || at >= row->len / (Py_ssize_t)sizeof(double)) {
        PyErr_SetString(PyExc_IndexError, "no place of the row");
        return -1;
    }
    ((double *)row->buf)[at] += value;
    return 0;
}

static int count_into(PyObject *places, const Py_buffer *row, const Py_buffer *bounds,
                      double sent, double seconds, int aborted)
{
    Py_ssize_t all = bounds->len / (Py_ssize_t)sizeof(double), bucket = 0;
    while (bucket < all && ((const double *)bounds->buf)[bucket] < seconds)
        bucket++;
    PyObject *requests = PyTuple_GetItem(places, 0), *aborts = PyTuple_GetItem(places, 1);
    PyObject *nbytes = PyTuple_GetItem(places, 2), *spent = PyTuple_GetItem(places, 3);
    if (requests == NULL || aborts == NULL || nbytes == NULL || spent == NULL)
        return -1;
    return add(row, requests, 0, 1) < 0 || add(row, nbytes, 0, sent) < 0
           || add(row, spent, bucket, 1) < 0 || add(row, spent, all + 1, seconds) < 0
           || (aborted && add(row, aborts, 0, 1) < 0) ? -1 : 0;
}

/* (row, places, bounds, sent, seconds, aborted) */
static PyObject *count(PyObject *module, PyObject *const *arguments, Py_ssize_t given)
{
    Py_buffer row, bounds;

    if (given != 6) {
        PyErr_SetString(PyExc_TypeError, "count takes 6 arguments");
        return NULL;
    }
    double sent = PyLong_AsDouble(arguments[3]), seconds = PyFloat_AsDouble(arguments[4]);
    int aborted = PyObject_IsTrue(arguments[5]);
    if (PyErr_Occurred() || PyObject_GetBuffer(arguments[0], &row, PyBUF_WRITABLE) < 0)
        return NULL;
    int failed = PyObject_GetBuffer(arguments[2], &bounds, PyBUF_SIMPLE);
    if (!failed) {
        failed = count_into(arguments[1], &row, &bounds, sent, seconds, aborted);
        PyBuffer_Release(&bounds);
    }
    PyBuffer_Release(&row);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"read_head", (PyCFunction)(void (*)(void))read_head, METH_FASTCALL, NULL},
    {"send_now", (PyCFunction)(void (*)(void))send_now, METH_FASTCALL, NULL},
    {"push_all", push_all, METH_O, NULL},
    {"stamp", stamp, METH_O, NULL},
    {"count", (PyCFunction)(void (*)(void))count, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_native", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void)
{
    mark_all();
    for (int i = 0; i < PLAIN; i++)
        if (names[i] == NULL && (names[i] = PyBytes_FromString(MEANT[i].name)) == NULL)
            return NULL;
    if ((get == NULL && (get = PyUnicode_InternFromString("GET")) == NULL)
        || (head == NULL && (head = PyUnicode_InternFromString("HEAD")) == NULL))
        return NULL;
    return PyModule_Create(&module);
}
