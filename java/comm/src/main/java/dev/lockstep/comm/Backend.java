package dev.lockstep.comm;

/** What carries a communicator's messages. */
public enum Backend {
  /** A group of one. */
  SINGLE,
  /** Ranks that are threads of this process. */
  IN_PROCESS,
  /** Memory that the ranks share, all being on one host. */
  SHARED_MEMORY,
  /** Sockets; needs nothing but a network. */
  TCP,
  /**
   * The MPI library's own collectives; needs Open MPI or MPICH and a launch by its mpirun, or by
   * srun.
   */
  MPI,
  /** Gloo, as the JavaCPP presets' libtorch brings it, over sockets. */
  GLOO
}
