package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.junit.jupiter.api.Test;

class LaunchEnvironmentTest {

  @Test
  void nothingMeansAGroupOfOne() {
    LaunchEnvironment launch = LaunchEnvironment.of(Map.of("PATH", "/usr/bin"));
    assertEquals(Backend.SINGLE, launch.backend());
    assertEquals(1, launch.worldSize());
  }

  @Test
  void torchrunVariablesMeanTcp() {
    LaunchEnvironment launch =
        LaunchEnvironment.of(
            Map.of(
                "RANK",
                "3",
                "WORLD_SIZE",
                "4",
                "LOCAL_RANK",
                "1",
                "LOCAL_WORLD_SIZE",
                "2",
                "MASTER_ADDR",
                "10.0.0.7",
                "MASTER_PORT",
                "4000",
                "LOCKSTEP_TOKEN",
                "secret"));
    assertEquals(
        new LaunchEnvironment(Backend.TCP, 3, 4, 1, 2, "10.0.0.7", 4000, "secret", null), launch);
  }

  @Test
  void openMpiAndMpichAreToldApart() {
    assertEquals(
        MpiLibrary.OPEN_MPI,
        LaunchEnvironment.of(Map.of("OMPI_COMM_WORLD_RANK", "1", "OMPI_COMM_WORLD_SIZE", "2"))
            .mpi());
    LaunchEnvironment mpich =
        LaunchEnvironment.of(
            Map.of(
                "PMI_RANK", "1", "PMI_SIZE", "2", "MPI_LOCALNRANKS", "2", "MPI_LOCALRANKID", "1"));
    assertEquals(MpiLibrary.MPICH, mpich.mpi());
    assertEquals(2, mpich.localSize());
  }

  @Test
  void mpirunWinsOverLeftOverTorchrunVariables() {
    LaunchEnvironment launch =
        LaunchEnvironment.of(
            Map.of(
                "RANK",
                "0",
                "WORLD_SIZE",
                "1",
                "OMPI_COMM_WORLD_RANK",
                "1",
                "OMPI_COMM_WORLD_SIZE",
                "2"));
    assertEquals(Backend.MPI, launch.backend());
    assertEquals(1, launch.rank());
  }

  @Test
  void srunWithoutPmiMeansTcpAtTheFirstNode() {
    LaunchEnvironment launch =
        LaunchEnvironment.of(
            Map.of(
                "SLURM_PROCID",
                "5",
                "SLURM_STEP_NUM_TASKS",
                "7",
                "SLURM_LOCALID",
                "1",
                "SLURM_NODEID",
                "2",
                "SLURM_STEP_TASKS_PER_NODE",
                "2(x3),1",
                "SLURM_STEP_NODELIST",
                "cn[003-005,007]",
                "SLURM_JOB_ID",
                "120345"));
    assertEquals(new LaunchEnvironment(Backend.TCP, 5, 7, 1, 2, "cn003", 20_345, "", null), launch);
  }

  @Test
  void aMissingVariableIsNamed() {
    RendezvousException e =
        assertThrows(
            RendezvousException.class, () -> LaunchEnvironment.of(Map.of("WORLD_SIZE", "2")));
    assertEquals(
        "RANK is not set, but other variables of the launch are; set it, or unset them for a group of one.",
        e.getMessage());
  }

  @Test
  void aVariableThatIsNoNumberIsNamedWithItsValue() {
    RendezvousException e =
        assertThrows(
            RendezvousException.class,
            () ->
                LaunchEnvironment.of(
                    Map.of("RANK", "one", "WORLD_SIZE", "2", "MASTER_ADDR", "localhost")));
    assertEquals("RANK is \"one\"; it must be a whole number.", e.getMessage());
  }

  @Test
  void theFirstNodeOfEveryListFormIsFound() {
    assertEquals("alpha", SlurmNodes.first("alpha"));
    assertEquals("alpha", SlurmNodes.first("alpha,beta[1-2]"));
    assertEquals("cn003", SlurmNodes.first("cn[003-005,007],gpu1"));
    assertEquals("rack1-n07-ib", SlurmNodes.first("rack1-n[07,09]-ib"));
  }
}
