/* Mean time of an 8-byte MPI_Allreduce, back to back, in nanoseconds; the peer of MpiCall.java. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static double round_nanoseconds(int calls) {
  double in = 1, out = 0;
  MPI_Barrier(MPI_COMM_WORLD);
  double start = MPI_Wtime();
  for (int i = 0; i < calls; ++i) MPI_Allreduce(&in, &out, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  return (MPI_Wtime() - start) / calls * 1e9;
}

int main(int argc, char** argv) {
  int rank, calls = argc > 1 ? atoi(argv[1]) : 1000000;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  round_nanoseconds(calls); /* warm-up, as in Java */
  double time = round_nanoseconds(calls);
  if (rank == 0) printf("%.1f\n", time);
  return MPI_Finalize();
}
