package dev.lockstep.mpi.presets;

import dev.lockstep.natives.build.NativeBuild;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The MPIs that the bindings are compiled for, and which of them a process uses: the one named by
 * the system property {@value #PROPERTY} ({@code openmpi} or {@code mpich}); else the one whose
 * launcher has started the process; else the first that this build has.
 */
public enum MpiChoice {
  OPEN_MPI("openmpi", "Open MPI", "libopenmpi-dev"),
  MPICH("mpich", "MPICH", "libmpich-dev");

  /** System property that names an MPI. */
  public static final String PROPERTY = "lockstep.mpi";

  private final String id;
  private final String title;
  private final String debianPackage;

  MpiChoice(String id, String title, String debianPackage) {
    this.id = id;
    this.title = title;
    this.debianPackage = debianPackage;
  }

  /** Short name, as in file names and in the system property. */
  public String id() {
    return id;
  }

  /** The name that people know it by. */
  public String title() {
    return title;
  }

  /**
   * Whether this build has bindings for it.
   *
   * @throws UnsatisfiedLinkError when the jar of the libraries is missing or of another build
   */
  public boolean isBuilt() {
    if (NativeBuild.find(MpiPreset.PACKAGE) == null) {
      return false;
    }
    return NativeBuild.require(MpiPreset.PACKAGE, "The bindings to MPI", "lockstep-mpi")
            .library("lib" + MpiPreset.LIBRARY + "_" + id + ".so")
        != null;
  }

  /**
   * The MPI of this process.
   *
   * @throws UnsatisfiedLinkError when this build has no bindings for it, or for none; the message
   *     says how to get them
   */
  public static MpiChoice current() {
    return of(System.getProperty(PROPERTY, ""), System.getenv(), MpiChoice::isBuilt);
  }

  static MpiChoice of(
      String property, Map<String, String> environment, Predicate<MpiChoice> isBuilt) {
    List<MpiChoice> candidates = new ArrayList<>(List.of(values()));
    if (!property.isEmpty()) {
      candidates.removeIf(mpi -> !mpi.id.equals(property.toLowerCase(Locale.ROOT)));
      if (candidates.isEmpty()) {
        throw new UnsatisfiedLinkError(
            "-D" + PROPERTY + "=" + property + ": expected openmpi or mpich.");
      }
    } else if (environment.containsKey("OMPI_COMM_WORLD_RANK")) {
      candidates = List.of(OPEN_MPI);
    } else if (environment.containsKey("PMI_RANK")) {
      candidates = List.of(MPICH);
    }
    for (MpiChoice candidate : candidates) {
      if (isBuilt.test(candidate)) {
        return candidate;
      }
    }
    throw new UnsatisfiedLinkError(missing(candidates));
  }

  private static String missing(List<MpiChoice> wanted) {
    StringBuilder text = new StringBuilder("This build of Lockstep has no MPI bindings for ");
    for (MpiChoice mpi : wanted) {
      text.append(mpi == wanted.get(0) ? "" : " nor for ").append(mpi.title);
      text.append(" (Debian and Ubuntu: ").append(mpi.debianPackage).append(')');
    }
    return text.append(". Install its development package and build again.").toString();
  }
}
