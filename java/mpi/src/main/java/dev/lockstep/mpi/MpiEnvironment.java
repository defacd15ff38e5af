package dev.lockstep.mpi;

import static dev.lockstep.mpi.MpiException.check;

import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * MPI from initialisation to finalisation, with errors returned rather than fatal: {@code try (var
 * mpi = MpiEnvironment.init()) { … }}. MPI can be initialised once in the life of a process.
 *
 * <p>When the block ends with an exception the process still finalises, in which MPI may wait for
 * the other ranks; a rank that cannot go on calls {@code MPI_Abort}.
 */
public final class MpiEnvironment implements AutoCloseable {
  private final int threadLevel;

  private MpiEnvironment(int threadLevel) {
    this.threadLevel = threadLevel;
  }

  /** Initialises MPI for use by the calling thread alone ({@code MPI_THREAD_FUNNELED}). */
  public static MpiEnvironment init() {
    return init(MPI.MPI_THREAD_FUNNELED());
  }

  /**
   * Initialises MPI and sets {@code MPI_ERRORS_RETURN} on {@code MPI_COMM_WORLD} and {@code
   * MPI_COMM_SELF}, from which other communicators inherit it. Windows have to be set one by one;
   * files return errors already.
   *
   * @param threadLevel {@code MPI_THREAD_SINGLE()} to {@code MPI_THREAD_MULTIPLE()}
   * @throws IllegalStateException when MPI is or was initialised
   * @throws MpiException when MPI cannot start
   * @throws UnsatisfiedLinkError when there is no MPI; the message says how to get it
   */
  public static MpiEnvironment init(int threadLevel) {
    try (IntPointer value = new IntPointer(1)) {
      check(MPI.MPI_Initialized(value));
      if (value.get() != 0) {
        throw new IllegalStateException("MPI can be initialised once in the life of a process.");
      }
      check(initThread(threadLevel, value));
      check(MPI.MPI_Comm_set_errhandler(MPI.MPI_COMM_WORLD(), MPI.MPI_ERRORS_RETURN()));
      check(MPI.MPI_Comm_set_errhandler(MPI.MPI_COMM_SELF(), MPI.MPI_ERRORS_RETURN()));
      return new MpiEnvironment(value.get());
    }
  }

  /** NULL for argc and argv: a JVM has no arguments of MPI's. */
  @SuppressWarnings("NullAway")
  private static int initThread(int threadLevel, IntPointer provided) {
    return MPI.MPI_Init_thread((IntPointer) null, (PointerPointer<?>) null, threadLevel, provided);
  }

  /** The thread level that MPI has granted. */
  public int threadLevel() {
    return threadLevel;
  }

  /** Finalises MPI, unless that was done. */
  @Override
  public void close() {
    try (IntPointer finalized = new IntPointer(1)) {
      check(MPI.MPI_Finalized(finalized));
      if (finalized.get() == 0) {
        check(MPI.MPI_Finalize());
      }
    }
  }
}
