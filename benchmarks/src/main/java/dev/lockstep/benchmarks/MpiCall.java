package dev.lockstep.benchmarks;

import static dev.lockstep.mpi.MpiException.check;

import dev.lockstep.mpi.MPI;
import dev.lockstep.mpi.MPI_Comm;
import dev.lockstep.mpi.MPI_Datatype;
import dev.lockstep.mpi.MPI_Op;
import dev.lockstep.mpi.MpiEnvironment;
import java.util.Locale;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.IntPointer;

/**
 * Mean time of an 8-byte {@code MPI_Allreduce} through the MPI preset, back to back, in
 * nanoseconds; the peer of {@code peers/mpi_call.c}.
 */
public final class MpiCall {
  private MpiCall() {}

  public static void main(String[] arguments) {
    int calls = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1_000_000;
    try (MpiEnvironment mpi = MpiEnvironment.init();
        DoublePointer in = new DoublePointer(1.0);
        DoublePointer out = new DoublePointer(1);
        IntPointer rank = new IntPointer(1)) {
      check(MPI.MPI_Comm_rank(MPI.MPI_COMM_WORLD(), rank));
      roundNanoseconds(calls, in, out);
      double time = roundNanoseconds(calls, in, out);
      if (rank.get() == 0) {
        System.out.printf(Locale.ROOT, "%.1f%n", time);
      }
    }
  }

  private static double roundNanoseconds(int calls, DoublePointer in, DoublePointer out) {
    MPI_Comm world = MPI.MPI_COMM_WORLD();
    MPI_Datatype type = MPI.MPI_DOUBLE();
    MPI_Op sum = MPI.MPI_SUM();
    check(MPI.MPI_Barrier(world));
    long start = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      check(MPI.MPI_Allreduce(in, out, 1, type, sum, world));
    }
    return (System.nanoTime() - start) / (double) calls;
  }
}
