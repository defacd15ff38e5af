package dev.lockstep.comm;

import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What a launcher has told this process through environment variables.
 *
 * <table>
 * <caption>In this order; the first that is there decides.</caption>
 * <tr><th>variables</th><th>set by</th><th>backend</th></tr>
 * <tr><td>{@code OMPI_COMM_WORLD_RANK}</td><td>Open MPI's mpirun</td><td>MPI</td></tr>
 * <tr><td>{@code PMI_RANK}</td><td>MPICH's mpirun, srun --mpi=pmi2</td><td>MPI</td></tr>
 * <tr><td>{@code PMIX_RANK}</td><td>srun --mpi=pmix</td><td>MPI</td></tr>
 * <tr><td>{@code RANK}, {@code WORLD_SIZE}, {@code MASTER_ADDR}, {@code MASTER_PORT}</td>
 *     <td>{@code lockstep launch}, torchrun, a person</td><td>TCP</td></tr>
 * <tr><td>{@code SLURM_PROCID} in a step of more than one task</td><td>srun</td><td>TCP</td></tr>
 * <tr><td>none of these</td><td></td><td>single</td></tr>
 * </table>
 *
 * <p>Where the build has no backend for the MPI of the first three, a group forms as the rows below
 * them say, if they can; srun sets {@code PMI_RANK} by many clusters' default without any MPI.
 *
 * @param backend what these variables ask for
 * @param rank this process's number, from 0; for MPI as the launcher says, before MPI is asked
 * @param worldSize number of ranks
 * @param localRank number of this process among those of the group on this host
 * @param localSize number of ranks of the group on this host
 * @param masterAddress host on which rank 0 listens (TCP)
 * @param masterPort port on which rank 0 listens (TCP)
 * @param token the job's secret ({@code LOCKSTEP_TOKEN}), empty when there is none
 * @param mpi the MPI library that the launcher belongs to (MPI)
 */
public record LaunchEnvironment(
    Backend backend,
    int rank,
    int worldSize,
    int localRank,
    int localSize,
    @Nullable String masterAddress,
    int masterPort,
    String token,
    @Nullable MpiLibrary mpi) {

  /** Where rank 0 listens when nobody says otherwise; torchrun's default. */
  static final int DEFAULT_MASTER_PORT = 29500;

  /** The highest TCP port. */
  private static final int HIGHEST_PORT = 65_535;

  /**
   * Checks that the numbers make sense together.
   *
   * @throws RendezvousException if they do not; the message names the variables
   */
  public LaunchEnvironment {
    if (worldSize < 1) {
      throw RendezvousException.of(
          "The launch names a world of "
              + worldSize
              + " ranks (WORLD_SIZE); it must be at least 1.");
    }
    if (rank < 0 || rank >= worldSize) {
      throw RendezvousException.of(
          "The launch names rank "
              + rank
              + " of "
              + worldSize
              + " (RANK, WORLD_SIZE); ranks go from 0 to "
              + (worldSize - 1)
              + ".");
    }
    if (masterAddress != null && (masterPort < 1 || masterPort > HIGHEST_PORT)) {
      throw RendezvousException.of(
          "MASTER_PORT is " + masterPort + "; it must be 1 to " + HIGHEST_PORT + ".");
    }
  }

  /** Reads this process's environment. */
  public static LaunchEnvironment current() {
    return of(System.getenv());
  }

  /**
   * Reads the given variables.
   *
   * @throws RendezvousException when a variable has no sense or one of a set is missing; the
   *     message names it
   */
  public static LaunchEnvironment of(Map<String, String> environment) {
    return of(environment, MpiPlugin::isBuilt);
  }

  /**
   * As {@link #of(Map)}.
   *
   * @param built whether there is a backend for an MPI library
   */
  static LaunchEnvironment of(Map<String, String> environment, Predicate<MpiLibrary> built) {
    LaunchVariables variables = new LaunchVariables(environment);
    Optional<LaunchEnvironment> mpi = underMpi(variables);
    if (mpi.isEmpty()) {
      return withoutMpi(variables);
    }
    // Where there is no backend for it, opening it says which package is missing.
    boolean chosen =
        built.test(mpi.get().mpi()) || mpi.get().worldSize() != sizeWithoutMpi(variables);
    return chosen ? mpi.get() : withoutMpi(variables);
  }

  /**
   * The MPI library whose launcher started this process although this build has no backend for it,
   * so that the group forms by other means.
   */
  static Optional<MpiLibrary> passedOver(
      Map<String, String> environment, Predicate<MpiLibrary> built) {
    return of(environment, built).backend() == Backend.MPI
        ? Optional.empty()
        : underMpi(new LaunchVariables(environment)).map(LaunchEnvironment::mpi);
  }

  private static Optional<LaunchEnvironment> underMpi(LaunchVariables variables) {
    if (variables.has("OMPI_COMM_WORLD_RANK")) {
      return Optional.of(
          mpi(
              variables,
              "OMPI_COMM_WORLD_RANK",
              "OMPI_COMM_WORLD_SIZE",
              variables.integer("OMPI_COMM_WORLD_LOCAL_RANK", 0),
              variables.integer("OMPI_COMM_WORLD_LOCAL_SIZE", 1),
              MpiLibrary.OPEN_MPI));
    }
    if (variables.has("PMI_RANK")) {
      boolean slurm = variables.has("SLURM_STEP_NUM_TASKS");
      return Optional.of(
          mpi(
              variables,
              "PMI_RANK",
              "PMI_SIZE",
              variables.integer(slurm ? "SLURM_LOCALID" : "MPI_LOCALRANKID", 0),
              slurm ? variables.tasksOnThisNode() : variables.integer("MPI_LOCALNRANKS", 1),
              MpiLibrary.MPICH));
    }
    boolean step = variables.has("SLURM_STEP_NUM_TASKS");
    if (variables.has("PMIX_RANK") && (step || variables.has("SLURM_NTASKS"))) {
      return Optional.of(
          mpi(
              variables,
              "PMIX_RANK",
              step ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS",
              variables.integer("SLURM_LOCALID", 0),
              variables.tasksOnThisNode(),
              MpiLibrary.OPEN_MPI));
    }
    return Optional.empty();
  }

  /**
   * Of the group that {@link #withoutMpi} describes, whether or not its other variables are set.
   */
  private static int sizeWithoutMpi(LaunchVariables variables) {
    return variables.has("RANK") || variables.has("WORLD_SIZE")
        ? variables.integer("WORLD_SIZE", 1)
        : variables.integer("SLURM_STEP_NUM_TASKS", 1);
  }

  private static LaunchEnvironment withoutMpi(LaunchVariables variables) {
    if (variables.has("RANK") || variables.has("WORLD_SIZE")) {
      return new LaunchEnvironment(
          Backend.TCP,
          variables.integer("RANK"),
          variables.integer("WORLD_SIZE"),
          variables.integer("LOCAL_RANK", 0),
          variables.integer("LOCAL_WORLD_SIZE", 1),
          variables.host("MASTER_ADDR"),
          variables.torchrun() ? variables.portBesideTorchrun() : variables.masterPort(),
          variables.text("LOCKSTEP_TOKEN", ""),
          null);
    }
    if (variables.integer("SLURM_STEP_NUM_TASKS", 1) > 1) {
      return new LaunchEnvironment(
          Backend.TCP,
          variables.integer("SLURM_PROCID"),
          variables.integer("SLURM_STEP_NUM_TASKS"),
          variables.integer("SLURM_LOCALID", 0),
          variables.tasksOnThisNode(),
          variables.has("MASTER_ADDR")
              ? variables.host("MASTER_ADDR")
              : SlurmNodes.first(variables.text("SLURM_STEP_NODELIST")),
          variables.integer(
              "MASTER_PORT", SlurmNodes.port(variables.wholeNumber("SLURM_JOB_ID", 0))),
          variables.text("LOCKSTEP_TOKEN", ""),
          null);
    }
    return new LaunchEnvironment(Backend.SINGLE, 0, 1, 0, 1, null, 0, "", null);
  }

  private static LaunchEnvironment mpi(
      LaunchVariables variables,
      String rank,
      String size,
      int localRank,
      int localSize,
      MpiLibrary library) {
    return new LaunchEnvironment(
        Backend.MPI,
        variables.integer(rank),
        variables.integer(size),
        localRank,
        localSize,
        null,
        0,
        "",
        library);
  }
}
