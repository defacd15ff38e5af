package dev.lockstep.mpi.presets;

import dev.lockstep.natives.build.NativeBuild;
import org.bytedeco.javacpp.ClassProperties;
import org.bytedeco.javacpp.LoadEnabled;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP's parser what MPI-3.1 is: the headers of {@code native-src/mpi_preset/mpi31}, in
 * which handles are types of their own and constants are functions. The bindings that come of them
 * are compiled once with the {@code mpi.h} of each MPI that the build machine has; {@link #init}
 * chooses among the libraries when the first class of {@code dev.lockstep.mpi} is loaded.
 */
@Properties(
    value =
        @Platform(
            include = {
              "mpi31/bindings.h",
              "mpi31/types.h",
              "mpi31/handles.h",
              "mpi31/datatype_constants.h",
              "mpi31/constants.h",
              "mpi31/error_classes.h",
              "mpi31/point_to_point.h",
              "mpi31/datatypes.h",
              "mpi31/collective.h",
              "mpi31/groups_and_communicators.h",
              "mpi31/attributes.h",
              "mpi31/topology.h",
              "mpi31/environment.h",
              "mpi31/info.h",
              "mpi31/process_creation.h",
              "mpi31/one_sided.h",
              "mpi31/external_interfaces.h",
              "mpi31/files.h",
              "mpi31/tool_information.h",
              "mpi31/fortran.h",
              "mpi31/deprecated.h",
            },
            library = MpiPreset.LIBRARY),
    target = "dev.lockstep.mpi",
    global = "dev.lockstep.mpi.MPI")
public class MpiPreset implements InfoMapper, LoadEnabled {
  /** Name of the generated source, and the first part of the names of its libraries. */
  static final String LIBRARY = "jnimpi";

  /** Where the libraries are on the class path. */
  static final String PACKAGE = "dev/lockstep/mpi";

  @Override
  public void map(InfoMap infoMap) {
    infoMap
        .put(new Info("LOCKSTEP_MPI_BINDINGS").define(false))
        // A struct without a member would be taken for an opaque one, of which there are no arrays.
        .put(
            new Info(
                    "MPI_Comm::value",
                    "MPI_Datatype::value",
                    "MPI_Op::value",
                    "MPI_Group::value",
                    "MPI_Request::value",
                    "MPI_Message::value",
                    "MPI_Win::value",
                    "MPI_File::value",
                    "MPI_Info::value",
                    "MPI_Errhandler::value",
                    "MPI_T_enum::value",
                    "MPI_T_cvar_handle::value",
                    "MPI_T_pvar_handle::value",
                    "MPI_T_pvar_session::value")
                .skip())
        .put(new Info("MPI_CONSTANT").cppTypes().annotations("@MemberGetter"))
        .put(
            new Info("MPI_Aint", "MPI_Offset", "MPI_Count")
                .cast()
                .valueTypes("long")
                .pointerTypes("LongPointer", "LongBuffer", "long[]"))
        .put(
            new Info("MPI_Fint")
                .cast()
                .valueTypes("int")
                .pointerTypes("IntPointer", "IntBuffer", "int[]"))
        .put(new Info("mpi_argvs").cast().valueTypes("PointerPointer"))
        .put(new Info("mpi_kept_int").cast().valueTypes("int").pointerTypes("IntPointer"))
        .put(new Info("mpi_kept_aint").cast().valueTypes("long").pointerTypes("LongPointer"));
  }

  /** Names the library of the MPI that this process is to use. */
  @Override
  public void init(ClassProperties properties) {
    if (Loader.isLoadLibraries()) {
      MpiChoice choice = MpiChoice.current();
      NativeBuild build =
          NativeBuild.require(PACKAGE, "The bindings to " + choice.title(), "lockstep-mpi");
      properties.setProperty("platform.library", LIBRARY + "_" + choice.id());
      properties.setProperty("platform.extension", build.extension());
    }
  }
}
