package dev.lockstep.examples.mpi;

import static dev.lockstep.mpi.MPI.MPI_COMM_WORLD;
import static dev.lockstep.mpi.MPI.MPI_Comm_rank;
import static dev.lockstep.mpi.MPI.MPI_Comm_size;
import static dev.lockstep.mpi.MPI.MPI_INT;
import static dev.lockstep.mpi.MPI.MPI_Recv;
import static dev.lockstep.mpi.MPI.MPI_Send;
import static dev.lockstep.mpi.MpiException.check;

import dev.lockstep.mpi.MPI_Comm;
import dev.lockstep.mpi.MPI_Status;
import dev.lockstep.mpi.MpiEnvironment;
import org.bytedeco.javacpp.IntPointer;

/** A number goes around all ranks; each adds its own. Takes at least two ranks. */
public final class Ring {
  private static final int TAG = 7;

  private Ring() {}

  public static void main(String[] arguments) {
    try (MpiEnvironment mpi = MpiEnvironment.init();
        IntPointer token = new IntPointer(1);
        MPI_Status status = new MPI_Status()) {
      MPI_Comm world = MPI_COMM_WORLD();
      int[] rank = new int[1];
      int[] size = new int[1];
      check(MPI_Comm_rank(world, rank));
      check(MPI_Comm_size(world, size));
      int previous = (rank[0] + size[0] - 1) % size[0];
      int next = (rank[0] + 1) % size[0];

      token.put(0);
      if (rank[0] > 0) {
        check(MPI_Recv(token, 1, MPI_INT(), previous, TAG, world, status));
      }
      token.put(token.get() + rank[0]);
      check(MPI_Send(token, 1, MPI_INT(), next, TAG, world));
      if (rank[0] == 0) {
        check(MPI_Recv(token, 1, MPI_INT(), previous, TAG, world, status));
        System.out.println("sum of ranks " + token.get() + ", from rank " + status.MPI_SOURCE());
      }
    }
  }
}
