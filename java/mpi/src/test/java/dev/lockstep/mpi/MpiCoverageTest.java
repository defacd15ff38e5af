package dev.lockstep.mpi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.comm.MpiLibrary;
import dev.lockstep.testing.MpiProcesses;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.annotation.MemberGetter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The functions of the preset against those that the installed headers declare. */
class MpiCoverageTest {
  private static final Pattern FUNCTION = Pattern.compile("\\b(MPI_[A-Z]\\w*[a-z]\\w*)\\s*\\(");

  /** MPICH 4 keeps its prototypes beside mpi.h. */
  private static final List<String> HEADERS = List.of("mpi.h", "mpi_proto.h");

  /** MPI-3.0, section 16.1: removed interfaces. */
  private static final Pattern REMOVED =
      Pattern.compile(
          "MPI_(Address|Errhandler_(create|get|set)|Type_(extent|hindexed|hvector|lb|struct|ub))");

  /** Conversions of Fortran 2008 statuses, which Open MPI 4 lacks. */
  private static final Pattern ELSEWHERE = Pattern.compile("MPI_Status_(f08|f2f08|c2f08)\\w*");

  /** MPI-4.0: sessions, partitioned and persistent collectives, events, large counts. */
  private static final Pattern LATER =
      Pattern.compile(
          "MPI_\\w+_c|MPI_(Session|Parrived|Pready|Psend|Precv)\\w*|MPI_T_(event|source)_\\w+"
              + "|MPI_T_category_get_(num_)?events|MPI_Isendrecv(_replace)?"
              + "|MPI_(Neighbor_)?(All|Barrier|Bcast|Exscan|Gather|Reduce|Scan|Scatter)\\w*_init"
              + "|MPI_Neighbor_\\w+_init|MPI_Comm_(create_from_group|idup_with_info)"
              + "|MPI_Group_from_session_pset|MPI_Info_(create_env|get_string)"
              + "|MPI_Intercomm_create_from_groups");

  private static Set<String> bound() {
    Set<String> names = new TreeSet<>();
    for (Method method : MPI.class.getDeclaredMethods()) {
      if (method.getName().startsWith("MPI_") && !method.isAnnotationPresent(MemberGetter.class)) {
        names.add(method.getName());
      }
    }
    return names;
  }

  /** What this MPI's header declares, by its compiler wrapper. */
  private static Set<String> declared(MpiLibrary library) throws Exception {
    String wrapper = library == MpiLibrary.OPEN_MPI ? "mpicc.openmpi" : "mpicc.mpich";
    Process process = new ProcessBuilder(wrapper, "-show").start();
    String line =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    Set<String> names = new TreeSet<>();
    for (String word : line.split(" ")) {
      if (word.startsWith("-I")) {
        for (String header : HEADERS) {
          addFunctions(Path.of(word.substring(2), header), names);
        }
      }
    }
    return names;
  }

  private static void addFunctions(Path header, Set<String> names) throws IOException {
    if (Files.exists(header)) {
      String text = Files.readString(header).replaceAll("(?s)/\\*.*?\\*/", "");
      Matcher match = FUNCTION.matcher(text);
      while (match.find()) {
        names.add(match.group(1));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(MpiLibrary.class)
  void everyFunctionOfMpi31IsBound(MpiLibrary library) throws Exception {
    assumeTrue(MpiProcesses.available(library), () -> "no " + library.title());
    Set<String> missing = declared(library);
    assertTrue(missing.size() > 400, missing::toString);
    missing.removeAll(bound());
    missing.removeIf(
        name ->
            REMOVED.matcher(name).matches()
                || ELSEWHERE.matcher(name).matches()
                || LATER.matcher(name).matches()
                // Types: `typedef int (MPI_…_function)(…)`, `typedef MPI_Aint (QMPI_…)(…)`.
                || name.equals("MPI_Aint")
                || name.endsWith("_function")
                || name.endsWith("_fn"));
    assertEquals(Set.of(), missing);
  }

  @Test
  void mpi31HasThisManyFunctions() {
    assertEquals(407, bound().size());
  }
}
