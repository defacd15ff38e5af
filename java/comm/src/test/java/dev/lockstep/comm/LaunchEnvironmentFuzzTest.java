package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** {@code -Dlockstep.fuzz=10000} tries more, {@code -Dlockstep.seed=…} others. */
class LaunchEnvironmentFuzzTest {
  private static final List<Map<String, String>> RECORDED =
      List.of(
          Map.of(
              "RANK",
              "1",
              "WORLD_SIZE",
              "2",
              "LOCAL_RANK",
              "1",
              "LOCAL_WORLD_SIZE",
              "2",
              "MASTER_ADDR",
              "127.0.0.1",
              "MASTER_PORT",
              "12345",
              "LOCKSTEP_TOKEN",
              "secret"),
          Map.of(
              "RANK",
              "0",
              "WORLD_SIZE",
              "2",
              "MASTER_ADDR",
              "node1",
              "MASTER_PORT",
              "29500",
              "TORCHELASTIC_RUN_ID",
              "none",
              "TORCHELASTIC_USE_AGENT_STORE",
              "True"),
          Map.of(
              "OMPI_COMM_WORLD_RANK",
              "1",
              "OMPI_COMM_WORLD_SIZE",
              "2",
              "OMPI_COMM_WORLD_LOCAL_RANK",
              "1",
              "OMPI_COMM_WORLD_LOCAL_SIZE",
              "2"),
          Map.of("PMI_RANK", "1", "PMI_SIZE", "2", "MPI_LOCALRANKID", "1", "MPI_LOCALNRANKS", "2"),
          Map.of(
              "PMI_RANK",
              "1",
              "PMI_SIZE",
              "2",
              "SLURM_PROCID",
              "1",
              "SLURM_STEP_NUM_TASKS",
              "2",
              "SLURM_STEP_TASKS_PER_NODE",
              "1(x2)",
              "SLURM_STEP_NODELIST",
              "cn[1-2]",
              "SLURM_JOB_ID",
              "17",
              "SLURM_NODEID",
              "1"),
          Map.of(
              "PMIX_RANK",
              "1",
              "SLURM_NTASKS",
              "2",
              "SLURM_STEP_NUM_TASKS",
              "2",
              "SLURM_STEP_TASKS_PER_NODE",
              "2(x3),1",
              "SLURM_STEP_NODELIST",
              "rack[1-2]node[01-04]",
              "SLURM_JOB_ID",
              "2214592513"));

  private static final List<String> VALUES =
      List.of(
          "",
          " ",
          "0",
          "1",
          "-1",
          "2",
          "7",
          "65535",
          "65536",
          "2147483648",
          "99999999999999999999",
          "1.5",
          "one",
          "1(x",
          "1(x)",
          "(x2)",
          "1(x-3)",
          "2(x99999999999)",
          ",",
          "a,b",
          "[",
          "]",
          "[]",
          "[1-2",
          "a[1]b[2",
          "[::1]",
          "::1",
          "fe80::1%eth0",
          "\u0000",
          "é",
          "١",
          "-",
          "True",
          "false");

  @Test
  void noEnvironmentIsAnythingButAGroupOrATypedError() {
    long seed = Long.getLong("lockstep.seed", 1);
    Random random = new Random(seed);
    for (int i = 0; i < Integer.getInteger("lockstep.fuzz", 1) * 3000; i++) {
      Map<String, String> environment = new HashMap<>();
      for (int from = 1 + random.nextInt(2); from > 0; from--) {
        environment.putAll(RECORDED.get(random.nextInt(RECORDED.size())));
      }
      List<String> names = environment.keySet().stream().sorted().toList();
      for (int changes = random.nextInt(4); changes >= 0; changes--) {
        String name = names.get(random.nextInt(names.size()));
        if (random.nextInt(4) == 0) {
          environment.remove(name);
        } else {
          environment.put(name, VALUES.get(random.nextInt(VALUES.size())));
        }
      }
      boolean built = random.nextBoolean();
      try {
        LaunchEnvironment launch = LaunchEnvironment.of(environment, library -> built);
        if (launch.backend() == Backend.TCP) {
          TcpOptions options =
              new TcpOptions(
                  launch.rank(),
                  launch.worldSize(),
                  launch.masterAddress(),
                  launch.masterPort(),
                  launch.token(),
                  1);
        }
      } catch (RendezvousException foreseen) {
        continue;
      } catch (RuntimeException e) {
        fail("seed " + seed + ", case " + i + ": " + environment, e);
      }
    }
  }
}
