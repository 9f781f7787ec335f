/* Preloaded into a process, writes down what it does to the files of one folder, in the order in which it was done.

   POWER_CUT_FOLDER is that folder (an absolute path), POWER_CUT_LOG the file of entries, which is made:

       entry = what (4) | length of path (4) | inode (8) | at (8) | length of data (8) | path | data

   Numbers are the machine's own; a path is relative to the folder. `at` is where data was written, or the size to which
   a file was cut. An entry follows what it says in the same lock, so that the order of entries is that of the changes.

   Each hook makes the system call itself: nothing of the C library's own is needed, and 64-bit machines have them all.
   *-shm is left out: SQLite makes that file, an index in shared memory, anew after a crash. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum what { CREATE = 1, FOLDER, WRITE, RESIZE, SYNC, LINK, RENAME, UNLINK, MARK };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static size_t folder_length;
static int entries = -1;

static void fail(const char *why) {
    perror(why);
    abort();
}

__attribute__((constructor)) static void begin(void) {
    const char *wanted = getenv("POWER_CUT_FOLDER"), *path = getenv("POWER_CUT_LOG");
    if (!wanted || !path || !realpath(wanted, folder)) fail("power_cut: POWER_CUT_FOLDER and POWER_CUT_LOG");
    folder_length = strlen(folder);
    int opened = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    entries = opened < 0 ? -1 : fcntl(opened, F_DUPFD_CLOEXEC, 500); /* out of the way of the process's own */
    if (entries < 0) fail("power_cut: POWER_CUT_LOG");
    syscall(SYS_close, opened);
}

static void note(enum what what, uint64_t inode, uint64_t at, const char *path, const void *data, uint64_t length) {
    struct { uint32_t what, path; uint64_t inode, at, data; } head = {what, strlen(path), inode, at, length};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)path, head.path}, {(void *)data, length}};
    if (syscall(SYS_writev, entries, parts, 3) != (long)(sizeof head + head.path + length)) fail("power_cut: log");
}

/* The part of an absolute path behind the folder, or NULL where it is none of ours. */
static const char *inside(const char *path) {
    if (entries < 0 || strncmp(path, folder, folder_length)) return NULL;
    const char *rest = path + folder_length;
    if (*rest && *rest++ != '/') return NULL;
    return strstr(rest, "-shm") ? NULL : rest;
}

static const char *path_of(int descriptor, char found[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, found, PATH_MAX - 1);
    found[length < 0 ? 0 : length] = 0;
    return inside(found);
}

static const char *path_at(int from, const char *path, char found[PATH_MAX]) {
    if (path[0] == '/') return inside(strncpy(found, path, PATH_MAX - 1));
    if (from == AT_FDCWD) {
        if (!getcwd(found, PATH_MAX)) return NULL;
    } else {
        path_of(from, found);
    }
    size_t length = strlen(found);
    snprintf(found + length, PATH_MAX - length, "/%s", path);
    return inside(found);
}

static uint64_t inode_at(int from, const char *path) {
    struct stat found;
    return fstatat(from, path, &found, AT_SYMLINK_NOFOLLOW) ? 0 : found.st_ino;
}

static uint64_t inode_of(int descriptor) {
    struct stat found;
    return fstat(descriptor, &found) ? 0 : found.st_ino;
}

static int opened(int from, const char *path, int flags, mode_t mode) {
    char absolute[PATH_MAX] = "";
    const char *ours = flags & (O_CREAT | O_TRUNC) ? path_at(from, path, absolute) : NULL;
    if (!ours) return syscall(SYS_openat, from, path, flags, mode);
    pthread_mutex_lock(&lock);
    uint64_t before = inode_at(from, path);
    int descriptor = syscall(SYS_openat, from, path, flags, mode);
    int error = errno;
    if (descriptor >= 0 && !before) note(CREATE, inode_of(descriptor), 0, ours, "", 0);
    if (descriptor >= 0 && before && flags & O_TRUNC) note(RESIZE, before, 0, ours, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return descriptor;
}

#define MODE(flags, mode) mode_t mode = 0; \
    if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int openat(int from, const char *path, int flags, ...) { MODE(flags, mode) return opened(from, path, flags, mode); }
int openat64(int from, const char *path, int flags, ...) { MODE(flags, mode) return opened(from, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

/* `at` is -1 for a write at the descriptor's own position. */
static ssize_t written(int descriptor, const void *data, size_t length, off_t at) {
    char path[PATH_MAX];
    const char *ours = path_of(descriptor, path);
    if (ours) pthread_mutex_lock(&lock); /* what is not ours may block, and waits for nobody here */
    ssize_t count = at < 0 ? syscall(SYS_write, descriptor, data, length)
                           : syscall(SYS_pwrite64, descriptor, data, length, at);
    if (!ours) return count;
    int error = errno;
    if (count > 0) {
        off_t from = at < 0 ? lseek(descriptor, 0, SEEK_CUR) - count : at; /* asked after, for O_APPEND */
        note(WRITE, inode_of(descriptor), from, ours, data, count);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return count;
}

ssize_t write(int descriptor, const void *data, size_t length) { return written(descriptor, data, length, -1); }
ssize_t pwrite(int descriptor, const void *data, size_t length, off_t at) { return written(descriptor, data, length, at); }
ssize_t pwrite64(int descriptor, const void *data, size_t length, off_t at) { return written(descriptor, data, length, at); }

/* For what changes a descriptor's file as a whole. */
static int changed(int descriptor, enum what what, long number, off_t size) {
    char path[PATH_MAX];
    const char *ours = path_of(descriptor, path);
    if (!ours) return syscall(number, descriptor, size);
    pthread_mutex_lock(&lock);
    int result = syscall(number, descriptor, size), error = errno;
    if (!result) note(what, inode_of(descriptor), size, ours, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int fsync(int descriptor) { return changed(descriptor, SYNC, SYS_fsync, 0); }
int fdatasync(int descriptor) { return changed(descriptor, SYNC, SYS_fdatasync, 0); }
int ftruncate(int descriptor, off_t size) { return changed(descriptor, RESIZE, SYS_ftruncate, size); }
int ftruncate64(int descriptor, off_t size) { return ftruncate(descriptor, size); }

int truncate(const char *path, off_t size) {
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    int result = ftruncate(descriptor, size);
    close(descriptor);
    return result;
}
int truncate64(const char *path, off_t size) { return truncate(path, size); }

int mkdirat(int from, const char *path, mode_t mode) {
    char absolute[PATH_MAX] = "";
    const char *ours = path_at(from, path, absolute);
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_mkdirat, from, path, mode), error = errno;
    if (!result && ours) note(FOLDER, inode_at(from, path), 0, ours, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int linkat(int from, const char *old, int to, const char *new, int flags) {
    char absolute[PATH_MAX] = "";
    const char *ours = path_at(to, new, absolute);
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_linkat, from, old, to, new, flags), error = errno;
    if (!result && ours) note(LINK, inode_at(to, new), 0, ours, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    char old_absolute[PATH_MAX] = "", new_absolute[PATH_MAX] = "";
    const char *was = path_at(from, old, old_absolute), *ours = path_at(to, new, new_absolute);
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_renameat2, from, old, to, new, flags), error = errno;
    if (!result && was && ours) note(RENAME, inode_at(to, new), 0, ours, was, strlen(was));
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int renameat(int from, const char *old, int to, const char *new) { return renameat2(from, old, to, new, 0); }
int rename(const char *old, const char *new) { return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0); }

int unlinkat(int from, const char *path, int flags) {
    char absolute[PATH_MAX] = "";
    const char *ours = path_at(from, path, absolute);
    pthread_mutex_lock(&lock);
    uint64_t inode = ours ? inode_at(from, path) : 0;
    int result = syscall(SYS_unlinkat, from, path, flags), error = errno;
    if (!result && ours) note(UNLINK, inode, 0, ours, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

/* Called by the recorded process: what it has acknowledged by now. */
void power_cut_mark(const char *said) {
    pthread_mutex_lock(&lock);
    note(MARK, 0, 0, "", said, strlen(said));
    pthread_mutex_unlock(&lock);
}
