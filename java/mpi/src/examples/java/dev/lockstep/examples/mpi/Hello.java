package dev.lockstep.examples.mpi;

import static dev.lockstep.mpi.MPI.MPI_COMM_WORLD;
import static dev.lockstep.mpi.MPI.MPI_Comm_rank;
import static dev.lockstep.mpi.MPI.MPI_Comm_size;
import static dev.lockstep.mpi.MPI.MPI_Get_processor_name;
import static dev.lockstep.mpi.MPI.MPI_MAX_PROCESSOR_NAME;
import static dev.lockstep.mpi.MpiException.check;

import dev.lockstep.mpi.MPI_Comm;
import dev.lockstep.mpi.MpiEnvironment;
import java.nio.charset.StandardCharsets;

/** Every rank says who and where it is. */
public final class Hello {
  private Hello() {}

  public static void main(String[] arguments) {
    try (MpiEnvironment mpi = MpiEnvironment.init()) {
      MPI_Comm world = MPI_COMM_WORLD();
      int[] rank = new int[1];
      int[] size = new int[1];
      int[] length = new int[1];
      byte[] host = new byte[MPI_MAX_PROCESSOR_NAME()];
      check(MPI_Comm_rank(world, rank));
      check(MPI_Comm_size(world, size));
      check(MPI_Get_processor_name(host, length));
      String name = new String(host, 0, length[0], StandardCharsets.UTF_8);
      System.out.println("Hello from rank " + rank[0] + " of " + size[0] + " on " + name);
    }
  }
}
