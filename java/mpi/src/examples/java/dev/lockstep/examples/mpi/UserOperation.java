package dev.lockstep.examples.mpi;

import static dev.lockstep.mpi.MPI.MPI_Allreduce;
import static dev.lockstep.mpi.MPI.MPI_COMM_WORLD;
import static dev.lockstep.mpi.MPI.MPI_Comm_rank;
import static dev.lockstep.mpi.MPI.MPI_IN_PLACE;
import static dev.lockstep.mpi.MPI.MPI_LONG;
import static dev.lockstep.mpi.MPI.MPI_Op_create;
import static dev.lockstep.mpi.MPI.MPI_Op_free;
import static dev.lockstep.mpi.MpiException.check;

import dev.lockstep.mpi.MPI_Comm;
import dev.lockstep.mpi.MPI_Datatype;
import dev.lockstep.mpi.MPI_Op;
import dev.lockstep.mpi.MPI_User_function;
import dev.lockstep.mpi.MpiEnvironment;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;

/** An all-reduce with an operation that is written in Java: the least common multiple. */
public final class UserOperation {
  private UserOperation() {}

  private static final class LeastCommonMultiple extends MPI_User_function {
    @Override
    public void call(Pointer in, Pointer inOut, IntPointer length, MPI_Datatype type) {
      LongPointer a = new LongPointer(in);
      LongPointer b = new LongPointer(inOut);
      for (int i = 0; i < length.get(); i++) {
        b.put(i, a.get(i) / greatestCommonDivisor(a.get(i), b.get(i)) * b.get(i));
      }
    }

    private static long greatestCommonDivisor(long a, long b) {
      return b == 0 ? a : greatestCommonDivisor(b, a % b);
    }
  }

  public static void main(String[] arguments) {
    try (MpiEnvironment mpi = MpiEnvironment.init();
        LeastCommonMultiple function = new LeastCommonMultiple();
        MPI_Op operation = new MPI_Op();
        LongPointer number = new LongPointer(1)) {
      MPI_Comm world = MPI_COMM_WORLD();
      int[] rank = new int[1];
      check(MPI_Comm_rank(world, rank));
      check(MPI_Op_create(function, 1, operation));
      number.put(rank[0] + 4L);
      check(MPI_Allreduce(MPI_IN_PLACE(), number, 1, MPI_LONG(), operation, world));
      check(MPI_Op_free(operation));
      System.out.println("least common multiple " + number.get());
    }
  }
}
