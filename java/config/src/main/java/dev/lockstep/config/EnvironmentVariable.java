package dev.lockstep.config;

/** The environment variables that Lockstep reads. {@code docs/configuration.md} lists them. */
public enum EnvironmentVariable {
  LOCKSTEP_TOKEN(
      "the job's secret, equal on all ranks; without it whoever reaches rank 0's port can join. Of"
          + " `federate --server`: its secret of at least 16 bytes; of its clients: what `federate"
          + " --token-of N` makes of that"),
  LOCKSTEP_TUNING("the tuning file, where `communicator.tuning` names none"),
  LOCKSTEP_FLIGHT_RECORDER(
      "the folder for the last operations before an error, where `communicator.flight_recorder` names"
          + " none"),
  LOCKSTEP_TIMELINE("the timeline's file, where `communicator.timeline` names none"),
  LOCKSTEP_CACHE(
      "the folder into which libtorch (500 MB) is unpacked, once for each user and host; default"
          + " `~/.javacpp/cache`"),
  LOCKSTEP_HEAP(
      "the most memory of the Java heap, as in `8g`, for `hpc/lockstep`; default a quarter"),
  LOCKSTEP_CLASSPATH(
      "jars of one's own behind those of Lockstep, separated by colons, for `hpc/lockstep`; with"
          + " strategies, for example"),
  LOCKSTEP_HTTP_HEADER(
      "a header that requests to Zarr stores on web servers carry, as in `Authorization: Bearer"
          + " …`"),
  LOCKSTEP_JVM_FLAGS("further flags of the JVM that `hpc/lockstep` starts, separated by spaces"),
  LOCKSTEP_HOME("where the repository is, for the job scripts in `hpc/slurm`"),
  LOCKSTEP_HOST("the name by which ranks tell hosts apart; default the host's own"),
  LOCKSTEP_MPI_CHUNK_BYTES("the largest message that is handed to MPI at once; for tests"),
  RANK("this process's number, from 0, with `WORLD_SIZE` and `MASTER_ADDR`"),
  WORLD_SIZE("the number of ranks"),
  LOCAL_RANK("this process's number among the ranks of its host"),
  LOCAL_WORLD_SIZE("the number of ranks on this host"),
  MASTER_ADDR("name or address of rank 0's host; IPv6 with or without brackets"),
  MASTER_PORT(
      "the port on which rank 0 listens; default 29500, under srun one that the job's number gives"),
  TORCHELASTIC_RUN_ID(
      "set by torchrun, whose store listens on `MASTER_PORT`: rank 0 listens on the next port"),
  TORCHELASTIC_USE_AGENT_STORE("set by torchrun; `False`: `MASTER_PORT` is free and used as it is"),
  GLOO_SOCKET_IFNAME("the network interface of backend `gloo`"),
  OMPI_COMM_WORLD_RANK("set by Open MPI's mpirun: rank"),
  OMPI_COMM_WORLD_SIZE("set by Open MPI's mpirun: number of ranks"),
  OMPI_COMM_WORLD_LOCAL_RANK("set by Open MPI's mpirun: rank on this host"),
  OMPI_COMM_WORLD_LOCAL_SIZE("set by Open MPI's mpirun: ranks on this host"),
  PMI_RANK("set by MPICH's mpirun and `srun --mpi=pmi2`: rank"),
  PMI_SIZE("set by MPICH's mpirun and `srun --mpi=pmi2`: number of ranks"),
  MPI_LOCALRANKID("set by MPICH's mpirun: rank on this host"),
  MPI_LOCALNRANKS("set by MPICH's mpirun: ranks on this host"),
  PMIX_RANK("set by `srun --mpi=pmix`: rank"),
  SLURM_NTASKS("set by SLURM: number of ranks, where `SLURM_STEP_NUM_TASKS` is not set"),
  SLURM_STEP_NUM_TASKS("set by srun: number of ranks of the step"),
  SLURM_PROCID("set by srun: rank"),
  SLURM_LOCALID("set by srun: rank on this host"),
  SLURM_NODEID("set by srun: this node's place among the step's"),
  SLURM_STEP_TASKS_PER_NODE("set by srun: ranks of each node"),
  SLURM_STEP_NODELIST(
      "set by srun: the nodes, of which the first is rank 0's unless `MASTER_ADDR` is set"),
  SLURM_JOB_ID("set by SLURM: gives the port of rank 0 unless `MASTER_PORT` is set"),
  TERM("`dumb`: no progress bar");

  private final String meaning;

  EnvironmentVariable(String meaning) {
    this.meaning = meaning;
  }

  /** What it says, in Markdown. */
  public String meaning() {
    return meaning;
  }
}
