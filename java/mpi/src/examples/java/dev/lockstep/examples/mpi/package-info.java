/** MPI from Java, by {@code dev.lockstep.mpi} alone. Run with {@code mpirun -n 3 java -cp …}. */
package dev.lockstep.examples.mpi;
