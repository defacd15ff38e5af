package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
    Map<String, String> variables =
        Map.of(
            "RANK", "0",
            "WORLD_SIZE", "1",
            "OMPI_COMM_WORLD_RANK", "1",
            "OMPI_COMM_WORLD_SIZE", "2");
    for (boolean built : new boolean[] {true, false}) {
      LaunchEnvironment launch = LaunchEnvironment.of(variables, library -> built);
      assertEquals(Backend.MPI, launch.backend());
      assertEquals(1, launch.rank());
    }
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

  /** As slurmd 22.05 sets them for {@code srun --mpi=pmi2 -N2 -n2}. */
  private static final Map<String, String> SRUN_PMI2 =
      Map.of(
          "PMI_RANK", "1",
          "PMI_SIZE", "2",
          "PMI_FD", "21",
          "SLURM_PROCID", "1",
          "SLURM_LOCALID", "0",
          "SLURM_NODEID", "1",
          "SLURM_STEP_NUM_TASKS", "2",
          "SLURM_STEP_TASKS_PER_NODE", "1(x2)",
          "SLURM_STEP_NODELIST", "cn[1-2]",
          "SLURM_JOB_ID", "17");

  @Test
  void srunWithPmi2MeansTcpWhereNoMpichBackendWasBuilt() {
    assertEquals(
        new LaunchEnvironment(Backend.TCP, 1, 2, 0, 1, "cn1", 20_017, "", null),
        LaunchEnvironment.of(SRUN_PMI2, library -> false));
    assertEquals(
        Optional.of(MpiLibrary.MPICH),
        LaunchEnvironment.passedOver(SRUN_PMI2, library -> false),
        "the user is told");
    assertEquals(
        Backend.MPI, LaunchEnvironment.of(SRUN_PMI2, library -> true).backend(), "with a backend");
  }

  @Test
  void mpirunOfOneRankWithoutABackendIsAGroupOfOne() {
    Map<String, String> one = Map.of("PMI_RANK", "0", "PMI_SIZE", "1");
    assertEquals(Backend.SINGLE, LaunchEnvironment.of(one, library -> false).backend());
  }

  @Test
  void mpirunOfTwoRanksWithoutABackendIsNotTwoGroupsOfOne() {
    Map<String, String> two = Map.of("OMPI_COMM_WORLD_RANK", "0", "OMPI_COMM_WORLD_SIZE", "2");
    assertEquals(Backend.MPI, LaunchEnvironment.of(two, library -> false).backend());
  }

  @Test
  void torchrunsStoreKeepsItsPortAndRankZeroListensOnTheNext() {
    Map<String, String> torchrun =
        Map.of(
            "RANK", "0",
            "WORLD_SIZE", "2",
            "MASTER_ADDR", "node1",
            "MASTER_PORT", "29500",
            "TORCHELASTIC_RUN_ID", "none",
            "TORCHELASTIC_USE_AGENT_STORE", "True");
    assertEquals(29_501, LaunchEnvironment.of(torchrun).masterPort());
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1, 0",
    "0, 1, -1",
    "0, 1, 65536",
    "2, 2, 29500",
    "-1, 2, 29500",
    "0, 0, 29500",
    "0, -3, 29500",
    "0, 1, 99999999999",
    "0, 2147483648, 29500"
  })
  void numbersWithoutSenseAreRendezvousErrors(String rank, String size, String port) {
    Map<String, String> variables =
        Map.of("RANK", rank, "WORLD_SIZE", size, "MASTER_ADDR", "h", "MASTER_PORT", port);
    assertThrows(RendezvousException.class, () -> LaunchEnvironment.of(variables));
  }

  @Test
  void anIpv6AddressMayStandInBracketsAndHaveAScope() {
    Map<String, String> variables =
        Map.of("RANK", "0", "WORLD_SIZE", "2", "MASTER_ADDR", "[fe80::1%eth0]");
    assertEquals("fe80::1%eth0", LaunchEnvironment.of(variables).masterAddress());
  }

  @Test
  void aJobNumberOfAFederationGivesAPort() {
    assertEquals(22_513, SlurmNodes.port(2_214_592_513L));
    Map<String, String> job = new java.util.HashMap<>(SRUN_PMI2);
    job.keySet().removeIf(name -> name.startsWith("PMI"));
    job.put("SLURM_JOB_ID", "2214592513");
    assertEquals(22_513, LaunchEnvironment.of(job).masterPort());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "rack[1-2]node[01-04] | rack1node01",
        "rack[1,3-4]node[07,09-12]-ib,other | rack1node07-ib",
        "[host001-host012] | host001",
        "[host-a,host-b] | host-a",
        "cn[007] | cn007",
        "a-b[2-3].example.org | a-b2.example.org"
      })
  void theFirstNodeOfSeveralBracketsIsFound(String list, String first) {
    assertEquals(first, SlurmNodes.first(list));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"cn[1", "cn1]", "','", "[]", "[,a]", "a b"})
  void aNodeListThatCannotBeUnderstoodIsAnErrorThatQuotesIt(String list) {
    RendezvousException e = assertThrows(RendezvousException.class, () -> SlurmNodes.first(list));
    assertEquals(true, e.getMessage().contains('"' + list + '"'), e.getMessage());
  }
}
