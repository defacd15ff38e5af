package com.example;

import static dev.lockstep.mpi.MPI.MPI_Allreduce;
import static dev.lockstep.mpi.MPI.MPI_COMM_WORLD;
import static dev.lockstep.mpi.MPI.MPI_DOUBLE;
import static dev.lockstep.mpi.MPI.MPI_IN_PLACE;
import static dev.lockstep.mpi.MPI.MPI_SUM;
import static dev.lockstep.mpi.MpiException.check;

import dev.lockstep.mpi.MpiEnvironment;
import org.bytedeco.javacpp.DoublePointer;

/** "MPI for Java, on its own" of the README. */
public final class Mpi {
  private Mpi() {}

  public static void main(String[] arguments) {
    try (MpiEnvironment mpi = MpiEnvironment.init();
        DoublePointer sum = new DoublePointer(1)) {
      sum.put(1.5);
      check(MPI_Allreduce(MPI_IN_PLACE(), sum, 1, MPI_DOUBLE(), MPI_SUM(), MPI_COMM_WORLD()));
      System.out.println("summed: " + sum.get());
    }
  }
}
