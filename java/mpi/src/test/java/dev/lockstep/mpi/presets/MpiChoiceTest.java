package dev.lockstep.mpi.presets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

class MpiChoiceTest {
  private static final Map<String, String> OPEN_MPI = Map.of("OMPI_COMM_WORLD_RANK", "0");
  private static final Map<String, String> MPICH = Map.of("PMI_RANK", "0");

  @Test
  void theLaunchersMpiIsChosen() {
    assertEquals(MpiChoice.OPEN_MPI, MpiChoice.of("", OPEN_MPI, mpi -> true));
    assertEquals(MpiChoice.MPICH, MpiChoice.of("", MPICH, mpi -> true));
  }

  @Test
  void thePropertyGoesBeforeTheLauncher() {
    assertEquals(MpiChoice.MPICH, MpiChoice.of("mpich", OPEN_MPI, mpi -> true));
  }

  @Test
  void aloneTheMpiThatWasBuiltIsChosen() {
    assertEquals(MpiChoice.MPICH, MpiChoice.of("", Map.of(), mpi -> mpi == MpiChoice.MPICH));
  }

  @Test
  void anMpiThatWasNotBuiltIsNamedWithItsPackage() {
    Error error =
        assertThrows(
            UnsatisfiedLinkError.class,
            () -> MpiChoice.of("", MPICH, mpi -> mpi == MpiChoice.OPEN_MPI));
    assertTrue(error.getMessage().contains("libmpich-dev"), error.getMessage());
  }

  @Test
  void anUnknownNameIsRefused() {
    Error error =
        assertThrows(
            UnsatisfiedLinkError.class, () -> MpiChoice.of("intel", Map.of(), mpi -> true));
    assertTrue(error.getMessage().contains("intel"), error.getMessage());
  }
}
