package dev.lockstep.examples.mpi;

import static dev.lockstep.mpi.MPI.MPI_COMM_WORLD;
import static dev.lockstep.mpi.MPI.MPI_Cart_create;
import static dev.lockstep.mpi.MPI.MPI_Cart_shift;
import static dev.lockstep.mpi.MPI.MPI_Comm_free;
import static dev.lockstep.mpi.MPI.MPI_Comm_rank;
import static dev.lockstep.mpi.MPI.MPI_Comm_size;
import static dev.lockstep.mpi.MPI.MPI_DOUBLE;
import static dev.lockstep.mpi.MPI.MPI_Irecv;
import static dev.lockstep.mpi.MPI.MPI_Isend;
import static dev.lockstep.mpi.MPI.MPI_STATUSES_IGNORE;
import static dev.lockstep.mpi.MPI.MPI_Waitall;
import static dev.lockstep.mpi.MpiException.check;

import dev.lockstep.mpi.MPI_Comm;
import dev.lockstep.mpi.MPI_Datatype;
import dev.lockstep.mpi.MPI_Request;
import dev.lockstep.mpi.MpiEnvironment;
import org.bytedeco.javacpp.DoublePointer;

/**
 * Heat on a rod that all ranks share: each step needs the neighbours' outermost cells, which arrive
 * while the inner cells are computed. The ends of the rod are kept at 0 and 1, so that in time the
 * temperature is a straight line.
 */
public final class HaloExchange {
  private static final int CELLS = 4;
  private static final int STEPS = 2000;
  private static final int TO_LEFT = 0;
  private static final int TO_RIGHT = 1;

  private final MPI_Comm rod;
  private final MPI_Datatype number = MPI_DOUBLE();
  private final int left;
  private final int right;

  private HaloExchange(MPI_Comm rod, int left, int right) {
    this.rod = rod;
    this.left = left;
    this.right = right;
  }

  public static void main(String[] arguments) {
    try (MpiEnvironment mpi = MpiEnvironment.init();
        MPI_Comm rod = new MPI_Comm();
        DoublePointer now = new DoublePointer(CELLS + 2L);
        DoublePointer next = new DoublePointer(CELLS + 2L)) {
      int[] size = new int[1];
      int[] rank = new int[1];
      int[] left = new int[1];
      int[] right = new int[1];
      check(MPI_Comm_size(MPI_COMM_WORLD(), size));
      check(MPI_Cart_create(MPI_COMM_WORLD(), 1, size, new int[] {0}, 0, rod));
      check(MPI_Comm_rank(rod, rank));
      // At the ends the neighbour is MPI_PROC_NULL: nothing is sent, nothing received.
      check(MPI_Cart_shift(rod, 0, 1, left, right));

      for (long i = 0; i < CELLS + 2; i++) {
        now.put(i, 0);
        next.put(i, 0);
      }
      if (rank[0] == size[0] - 1) {
        now.put(CELLS + 1, 1);
        next.put(CELLS + 1, 1);
      }
      double error = new HaloExchange(rod, left[0], right[0]).run(now, next, rank[0], size[0]);
      System.out.println(
          "rank " + rank[0] + (error < 1e-6 ? " is" : " is not") + " a straight line");
      check(MPI_Comm_free(rod));
    }
  }

  /** Runs all steps. @return the greatest distance from the straight line */
  private double run(DoublePointer first, DoublePointer second, int rank, int size) {
    DoublePointer now = first;
    DoublePointer next = second;
    for (int step = 0; step < STEPS; step++) {
      step(now, next);
      DoublePointer last = now;
      now = next;
      next = last;
    }
    double error = 0;
    for (int i = 1; i <= CELLS; i++) {
      double exact = (rank * CELLS + i) / (size * CELLS + 1.0);
      error = Math.max(error, Math.abs(now.get(i) - exact));
    }
    return error;
  }

  private void step(DoublePointer now, DoublePointer next) {
    try (MPI_Request requests = new MPI_Request(4)) {
      check(MPI_Irecv(now.getPointer(0), 1, number, left, TO_RIGHT, rod, requests.getPointer(0)));
      check(
          MPI_Irecv(
              now.getPointer(CELLS + 1), 1, number, right, TO_LEFT, rod, requests.getPointer(1)));
      check(MPI_Isend(now.getPointer(1), 1, number, left, TO_LEFT, rod, requests.getPointer(2)));
      check(
          MPI_Isend(
              now.getPointer(CELLS), 1, number, right, TO_RIGHT, rod, requests.getPointer(3)));
      for (int i = 2; i < CELLS; i++) {
        update(now, next, i);
      }
      check(MPI_Waitall(4, requests, MPI_STATUSES_IGNORE()));
      update(now, next, 1);
      update(now, next, CELLS);
    }
  }

  private static void update(DoublePointer now, DoublePointer next, int i) {
    next.put(i, 0.5 * (now.get(i - 1) + now.get(i + 1)));
  }
}
