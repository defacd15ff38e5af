/* The sweep of `lockstep bench` for an MPI library, measured in the same way (dev.lockstep.bench.Bench):
 *
 *   every rank rewrites its own inputs; barrier; clock; the operation; clock; every rank reads and checks all of
 *   its results. An iteration takes the mean over ranks up to 64 KiB, the maximum above; of iterations the median.
 *
 *   mpicc -O3 -march=native -o collectives_mpi collectives_mpi.c
 *   mpirun -n 2 collectives_mpi NAME OPERATION IN_PLACE SIZE[,SIZE...]
 *
 * Elements are f32, reductions are sums, sizes are bytes of the larger buffer of a rank. Rank 0 prints the JSON array
 * that `lockstep bench --json` writes; NAME becomes the backend. Exit code 1 when a result was wrong.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PERIOD = 8191, VARIANTS = 7 };
enum { MEAN_UP_TO = 64 * 1024 };

typedef struct {
  float values[PERIOD + VARIANTS];
} Pattern;

static int rank, ranks;

static unsigned hash(int source, int i) {
  unsigned long long z = ((unsigned long long)source << 32 | (unsigned)i) + 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return (unsigned)((z ^ (z >> 31)) >> 33);
}

static void contribution(Pattern *pattern, int source) {
  for (int i = 0; i < PERIOD + VARIANTS; ++i) pattern->values[i] = (float)(hash(source, i % PERIOD) % 6);
}

static void reduction(Pattern *pattern) {
  for (int i = 0; i < PERIOD + VARIANTS; ++i) {
    pattern->values[i] = 0;
    for (int r = 0; r < ranks; ++r) pattern->values[i] += (float)(hash(r, i % PERIOD) % 6);
  }
}

static void moved(Pattern *pattern, int source) {
  for (int i = 0; i < PERIOD + VARIANTS; ++i) pattern->values[i] = (float)(hash(source, i % PERIOD) % 101);
}

static void write_pattern(const Pattern *pattern, float *to, size_t count, int variant) {
  for (size_t i = 0; i < count; i += PERIOD) {
    size_t length = count - i < PERIOD ? count - i : PERIOD;
    memcpy(to + i, pattern->values + variant, length * sizeof(float));
  }
}

static long errors_in(const Pattern *pattern, const float *in, size_t count, int variant) {
  long errors = 0;
  for (size_t i = 0; i < count; i += PERIOD) {
    size_t length = count - i < PERIOD ? count - i : PERIOD;
    if (memcmp(in + i, pattern->values + variant, length * sizeof(float)) == 0) continue;
    for (size_t k = 0; k < length; ++k) errors += in[i + k] != pattern->values[variant + (int)k];
  }
  return errors;
}

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

/* What is written before, and read after, an operation: parts of `count` elements at `stride`, each with a pattern. */
typedef struct {
  float *buffer;
  size_t count;
  int parts;
  Pattern *patterns;
} Side;

typedef struct {
  const char *operation;
  int in_place;
  float *input, *output;
  size_t count, part;
  Side written, read;
} Work;

static int is(const Work *work, const char *operation) { return strcmp(work->operation, operation) == 0; }

static Side side(float *buffer, size_t count, int parts) {
  Pattern *patterns = malloc((size_t)(parts > 0 ? parts : 1) * sizeof(Pattern));
  return (Side){buffer, count, parts, patterns};
}

static void prepare(Work *work) {
  float *out = work->in_place ? work->input : work->output;
  if (is(work, "allreduce")) {
    contribution((work->written = side(work->input, work->count, 1)).patterns, rank);
    reduction((work->read = side(out, work->count, 1)).patterns);
  } else if (is(work, "broadcast")) {
    moved((work->written = side(work->input, work->count, rank == 0)).patterns, 0);
    moved((work->read = side(work->input, work->count, 1)).patterns, 0);
  } else if (is(work, "allgather")) {
    moved((work->written = side(work->input, work->part, 1)).patterns, rank);
    work->read = side(out, work->part, ranks);
    for (int r = 0; r < ranks; ++r) moved(&work->read.patterns[r], r);
  } else if (is(work, "reducescatter")) {
    work->written = side(work->input, work->part, ranks);
    for (int r = 0; r < ranks; ++r) contribution(&work->written.patterns[r], rank);
    reduction((work->read = side(out, work->part, 1)).patterns);
  } else if (is(work, "alltoall")) {
    work->written = side(work->input, work->part, ranks);
    work->read = side(out, work->part, ranks);
    for (int r = 0; r < ranks; ++r) {
      moved(&work->written.patterns[r], rank * ranks + r);
      moved(&work->read.patterns[r], r * ranks + rank);
    }
  } else if (is(work, "pingpong")) {
    work->written = side(work->input, work->count, rank < 2);
    work->read = side(out, work->count, rank < 2);
    if (rank < 2) moved(work->written.patterns, rank), moved(work->read.patterns, 1 - rank);
  } else {
    work->written = work->read = side(work->input, 0, 0);
  }
}

static void run(const Work *work) {
  int count = (int)work->count, part = (int)work->part;
  void *in = work->in_place ? MPI_IN_PLACE : work->input;
  float *out = work->in_place ? work->input : work->output;
  if (is(work, "allreduce")) {
    MPI_Allreduce(in, out, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  } else if (is(work, "broadcast")) {
    MPI_Bcast(work->input, count, MPI_FLOAT, 0, MPI_COMM_WORLD);
  } else if (is(work, "allgather")) {
    MPI_Allgather(in, part, MPI_FLOAT, out, part, MPI_FLOAT, MPI_COMM_WORLD);
  } else if (is(work, "reducescatter")) {
    MPI_Reduce_scatter_block(in, out, part, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  } else if (is(work, "alltoall")) {
    MPI_Alltoall(in, part, MPI_FLOAT, out, part, MPI_FLOAT, MPI_COMM_WORLD);
  } else if (is(work, "barrier")) {
    MPI_Barrier(MPI_COMM_WORLD);
  } else if (rank == 0) {
    MPI_Send(work->input, count, MPI_FLOAT, 1, 0, MPI_COMM_WORLD);
    MPI_Recv(work->output, count, MPI_FLOAT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  } else if (rank == 1) {
    MPI_Recv(work->output, count, MPI_FLOAT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Send(work->input, count, MPI_FLOAT, 0, 0, MPI_COMM_WORLD);
  }
}

static int by_value(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

static double bus_factor(const Work *work) {
  if (is(work, "barrier")) return 0;
  if (is(work, "broadcast") || is(work, "pingpong")) return 1;
  return (is(work, "allreduce") ? 2.0 : 1.0) * (ranks - 1) / ranks;
}

static int iterations_for(size_t bytes) {
  return bytes <= 64 << 10 ? 1000 : bytes <= 1 << 20 ? 200 : bytes <= 16 << 20 ? 50 : 11;
}

/* Over all ranks. Not in place: Open MPI's coll/han crashes then before 5.0 (github.com/open-mpi/ompi issue 11473). */
static void reduce(void *values, int count, MPI_Datatype type, size_t size, MPI_Op op) {
  void *own = malloc((size_t)count * size);
  memcpy(own, values, (size_t)count * size);
  MPI_Allreduce(own, values, count, type, op, MPI_COMM_WORLD);
  free(own);
}

/* Each iteration's time from its ranks' times, sorted. */
static void combine(const Work *work, size_t bytes, double *times, int count) {
  int pingpong = is(work, "pingpong");
  if (pingpong) {
    for (int i = 0; i < count; ++i) times[i] = rank == 0 ? times[i] / 2 : 0;
  }
  int mean = !pingpong && bytes <= MEAN_UP_TO;
  reduce(times, count, MPI_DOUBLE, sizeof *times, pingpong || mean ? MPI_SUM : MPI_MAX);
  if (mean) {
    for (int i = 0; i < count; ++i) times[i] /= ranks;
  }
  qsort(times, (size_t)count, sizeof(double), by_value);
}

static long measure(Work *work, const char *name, int first) {
  size_t bytes = work->count * sizeof(float);
  int measured = iterations_for(bytes);
  int warm_up = measured / 5 > 3 ? measured / 5 : 3;
  double *times = malloc((size_t)measured * sizeof(double));
  long errors = 0;
  prepare(work);
  for (int i = -warm_up; i < measured; ++i) {
    int variant = (i + VARIANTS * warm_up) % VARIANTS;
    for (int p = 0; p < work->written.parts; ++p) {
      Side *s = &work->written;
      write_pattern(&s->patterns[p], s->buffer + (size_t)p * s->count, s->count, variant);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    double begin = microseconds();
    run(work);
    double end = microseconds();
    for (int p = 0; p < work->read.parts; ++p) {
      Side *s = &work->read;
      errors += errors_in(&s->patterns[p], s->buffer + (size_t)p * s->count, s->count, variant);
    }
    if (i >= 0) times[i] = end - begin;
  }
  combine(work, bytes, times, measured);
  reduce(&errors, 1, MPI_LONG, sizeof errors, MPI_SUM);
  double median = times[measured / 2], algbw = (double)bytes / median * 1e-3;
  if (rank == 0) {
    printf("%s{\"operation\": \"%s\", \"algorithm\": \"library\", \"backend\": \"%s\", \"ranks\": %d, \"bytes\": %zu, "
           "\"type\": \"f32\", \"registered\": false, \"in_place\": %s, \"microseconds\": {\"min\": %.3f, "
           "\"median\": %.3f, \"max\": %.3f}, \"algbw\": %g, \"busbw\": %g, \"errors\": %ld}",
           first ? "[" : ",\n", work->operation, name, ranks, bytes, work->in_place ? "true" : "false", times[0], median,
           times[measured - 1], algbw, algbw * bus_factor(work), errors);
    fflush(stdout);
  }
  free(work->written.patterns);
  if (work->read.patterns != work->written.patterns) free(work->read.patterns);
  free(times);
  return errors;
}

static float *buffer_of(size_t bytes) {
  float *buffer = aligned_alloc(64, (bytes + 127) / 64 * 64);
  if (buffer == NULL) MPI_Abort(MPI_COMM_WORLD, 2);
  memset(buffer, 0, bytes);
  return buffer;
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (argc != 5) {
    if (rank == 0) fprintf(stderr, "usage: %s NAME OPERATION IN_PLACE SIZE[,SIZE...]\n", argv[0]);
    MPI_Abort(MPI_COMM_WORLD, 2);
  }
  Work work = {.operation = argv[2], .in_place = atoi(argv[3])};
  int cut = is(&work, "allgather") || is(&work, "reducescatter") || is(&work, "alltoall");
  size_t largest = 0;
  for (char *size = argv[4]; size != NULL; size = strchr(size, ',') ? strchr(size, ',') + 1 : NULL) {
    size_t bytes = strtoull(size, NULL, 10) + 4u * (size_t)ranks;
    if (bytes > largest) largest = bytes;
  }
  work.input = buffer_of(largest);
  work.output = buffer_of(largest);
  long errors = 0;
  int first = 1;
  for (char *size = argv[4]; size != NULL; size = strchr(size, ',') ? strchr(size, ',') + 1 : NULL) {
    size_t unit = cut ? (size_t)ranks : 1, elements = strtoull(size, NULL, 10) / sizeof(float);
    if (elements == 0 && !is(&work, "barrier")) elements = 1;
    work.count = (elements + unit - 1) / unit * unit;
    work.part = work.count / (size_t)ranks;
    errors += measure(&work, argv[1], first);
    first = 0;
  }
  if (rank == 0) printf("]\n");
  MPI_Finalize();
  return errors != 0;
}
