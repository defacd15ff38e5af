package dev.lockstep.examples.mpi;

import static dev.lockstep.mpi.MPI.MPI_Bcast;
import static dev.lockstep.mpi.MPI.MPI_COMM_WORLD;
import static dev.lockstep.mpi.MPI.MPI_Comm_rank;
import static dev.lockstep.mpi.MPI.MPI_Comm_size;
import static dev.lockstep.mpi.MPI.MPI_DOUBLE;
import static dev.lockstep.mpi.MPI.MPI_INT;
import static dev.lockstep.mpi.MPI.MPI_Reduce;
import static dev.lockstep.mpi.MPI.MPI_SUM;
import static dev.lockstep.mpi.MpiException.check;

import dev.lockstep.mpi.MPI_Comm;
import dev.lockstep.mpi.MpiEnvironment;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.IntPointer;

/** π as the integral of 4 / (1 + x²) from 0 to 1, by the midpoint rule over strips of all ranks. */
public final class Pi {
  private Pi() {}

  /**
   * @param arguments the number of strips
   */
  public static void main(String[] arguments) {
    try (MpiEnvironment mpi = MpiEnvironment.init();
        IntPointer strips = new IntPointer(1);
        DoublePointer part = new DoublePointer(1);
        DoublePointer pi = new DoublePointer(1)) {
      MPI_Comm world = MPI_COMM_WORLD();
      int[] rank = new int[1];
      int[] size = new int[1];
      check(MPI_Comm_rank(world, rank));
      check(MPI_Comm_size(world, size));

      if (rank[0] == 0) {
        strips.put(arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1_000_000);
      }
      check(MPI_Bcast(strips, 1, MPI_INT(), 0, world));
      part.put(integral(rank[0], size[0], strips.get()));
      check(MPI_Reduce(part, pi, 1, MPI_DOUBLE(), MPI_SUM(), 0, world));
      if (rank[0] == 0) {
        System.out.println("pi = " + pi.get() + ", off by " + Math.abs(pi.get() - Math.PI));
      }
    }
  }

  private static double integral(int rank, int size, int strips) {
    double width = 1.0 / strips;
    double sum = 0;
    for (int i = rank; i < strips; i += size) {
      double x = (i + 0.5) * width;
      sum += 4 / (1 + x * x);
    }
    return sum * width;
  }
}
