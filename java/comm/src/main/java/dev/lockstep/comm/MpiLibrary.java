package dev.lockstep.comm;

/** The MPI implementations that Lockstep has a backend library for; their ABIs differ. */
public enum MpiLibrary {
  OPEN_MPI("openmpi", "Open MPI", "libopenmpi-dev"),
  MPICH("mpich", "MPICH", "libmpich-dev");

  private final String id;
  private final String title;
  private final String debianPackage;

  MpiLibrary(String id, String title, String debianPackage) {
    this.id = id;
    this.title = title;
    this.debianPackage = debianPackage;
  }

  /** File name of the backend library. */
  public String fileName() {
    return "liblockstep_mpi_" + id + ".so";
  }

  /** The name that people know it by. */
  public String title() {
    return title;
  }

  /** The Debian and Ubuntu package that the backend library is built with. */
  public String debianPackage() {
    return debianPackage;
  }
}
