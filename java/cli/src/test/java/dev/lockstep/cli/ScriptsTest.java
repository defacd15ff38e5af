package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The scripts under {@code hpc}, with stand-ins for the programs that they start. */
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ScriptsTest {
  private static final Path HPC =
      Path.of(System.getProperty("lockstep.repository"))
          .toAbsolutePath()
          .normalize()
          .resolve("hpc");

  /**
   * A copy of the scripts whose {@code lockstep} prints its place in the group and its arguments.
   */
  @TempDir private Path folder;

  private record Outcome(int code, List<String> lines) {}

  @BeforeEach
  void copyScripts() throws IOException, InterruptedException {
    run(Map.of(), "cp", "-r", HPC.toString(), folder.toString());
    script(
        "hpc/lockstep",
        "echo \"$RANK/$WORLD_SIZE $LOCAL_RANK/$LOCAL_WORLD_SIZE $MASTER_ADDR:$MASTER_PORT"
            + " ${#LOCKSTEP_TOKEN} $*\"; exit ${FAKE_CODE:-0}");
    // srun: as many tasks as SLURM_NTASKS says, one after another.
    script(
        "bin/srun",
        "shift; for ((i = 0; i < SLURM_NTASKS; i++)); do SLURM_PROCID=$i"
            + " SLURM_LOCALID=$((i % 2)) SLURM_STEP_TASKS_PER_NODE='2(x2)' \"$@\" || exit; done");
  }

  private void script(String name, String body) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/usr/bin/env bash\n" + body + "\n");
    assertTrue(file.toFile().setExecutable(true));
  }

  private Outcome run(Map<String, String> environment, String... command)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().putAll(environment);
    builder.environment().merge("PATH", folder + "/bin:", (path, bin) -> bin + path);
    Process process = builder.start();
    process.getOutputStream().close();
    List<String> lines = process.inputReader().lines().toList();
    assertTrue(process.waitFor(120, TimeUnit.SECONDS));
    return new Outcome(process.exitValue(), lines);
  }

  private Outcome slurm(String script, Map<String, String> more, String... arguments)
      throws IOException, InterruptedException {
    Map<String, String> environment =
        new java.util.HashMap<>(
            Map.of(
                "SLURM_SUBMIT_DIR", folder.toString(),
                "SLURM_JOB_ID", "4242",
                "SLURM_JOB_NODELIST", "node[07-10,20],other3",
                "SLURM_NTASKS", "4",
                "LOCKSTEP_CACHE", folder.resolve("cache").toString()));
    environment.putAll(more);
    String[] command = new String[arguments.length + 2];
    command[0] = "bash";
    command[1] = "hpc/slurm/" + script;
    System.arraycopy(arguments, 0, command, 2, arguments.length);
    return run(environment, command);
  }

  @Test
  void everyScriptParses() throws Exception {
    String find = "for f in hpc/*.sh hpc/slurm/*.sh hpc/lockstep; do bash -n $f || exit 1; done";
    assertEquals(new Outcome(0, List.of()), run(Map.of(), "bash", "-c", find));
  }

  @Test
  void slurmTasksBecomeRanksThatMeetAtTheFirstHost() throws Exception {
    Outcome outcome = slurm("train_distributed.sh", Map.of(), "my.yaml", "--resume");
    assertEquals(
        List.of(
            "0/4 0/2 node07:19242 32 train my.yaml --resume",
            "1/4 1/2 node07:19242 32 train my.yaml --resume",
            "2/4 0/2 node07:19242 32 train my.yaml --resume",
            "3/4 1/2 node07:19242 32 train my.yaml --resume"),
        outcome.lines());
    assertEquals(0, outcome.code());
  }

  @Test
  void scontrolsAnswerIsPreferredToOurParser() throws Exception {
    script("bin/scontrol", "echo alpha; echo beta");
    Outcome outcome = slurm("test_distributed.sh", Map.of("SLURM_NTASKS", "1"));
    assertEquals(List.of("0/1 0/2 alpha:19242 32 check"), outcome.lines());
  }

  /** A daemon that has no user's environment gives jobs none. */
  @Test
  void jobsNeedNoEnvironmentOfAUser() throws Exception {
    Outcome outcome =
        run(
            Map.of(
                "SLURM_SUBMIT_DIR",
                folder.toString(),
                "SLURM_JOB_NODELIST",
                "n1",
                "SLURM_NTASKS",
                "1",
                "TMPDIR",
                folder.toString()),
            "env",
            "--unset=USER",
            "--unset=HOME",
            "--unset=LOCKSTEP_CACHE",
            "--unset=SLURM_TMPDIR",
            "--unset=SLURM_JOB_ID",
            "bash",
            "hpc/slurm/test_distributed.sh");
    assertEquals(List.of("0/1 0/2 n1:15000 32 check"), outcome.lines());
  }

  @Test
  void hostListsWithoutRangesAreUnderstood() throws Exception {
    Outcome outcome =
        slurm(
            "test_distributed.sh",
            Map.of("SLURM_NTASKS", "1", "SLURM_JOB_NODELIST", "gpu12,login1"));
    assertEquals(List.of("0/1 0/2 gpu12:19242 32 check"), outcome.lines());
  }

  @Test
  void checkpointedJobAsksToBeQueuedAgain() throws Exception {
    script("bin/scontrol", "[[ $1 == requeue ]] && echo requeued $2");
    Outcome outcome = slurm("train_distributed_multinode.sh", Map.of("FAKE_CODE", "85"), "my.yaml");
    assertEquals(85, outcome.code());
    assertEquals("requeued 4242", outcome.lines().get(outcome.lines().size() - 1));
  }

  @Test
  void requeuedJobResumes() throws Exception {
    Outcome outcome =
        slurm(
            "train_distributed_multinode.sh",
            Map.of("SLURM_RESTART_COUNT", "1", "SLURM_NTASKS", "1"),
            "my.yaml");
    assertEquals(List.of("0/1 0/2 node07:19242 32 train my.yaml --resume"), outcome.lines());
  }

  @Test
  void ranksByHandGetOneTokenAndTheirPlaces() throws Exception {
    Outcome outcome =
        run(
            Map.of("FIRST_RANK", "2", "WORLD_SIZE", "4"),
            "bash",
            "hpc/launch_ddp.sh",
            "2",
            "head",
            "31000",
            "--",
            "my.yaml");
    assertEquals(
        List.of("2/4 0/2 head:31000 32 train my.yaml", "3/4 1/2 head:31000 32 train my.yaml"),
        outcome.lines().stream().sorted().toList());
  }

  @Test
  void rankByHandThatFailsGivesItsCode() throws Exception {
    Outcome outcome = run(Map.of("FAKE_CODE", "4"), "bash", "hpc/launch_ddp.sh", "3");
    assertEquals(4, outcome.code());
  }

  @Test
  void programWithoutABuildSaysHowToBuild() throws Exception {
    run(Map.of(), "cp", HPC.resolve("lockstep").toString(), "hpc/lockstep");
    run(Map.of(), "ln", "-s", "hpc/lockstep", "link");
    Outcome outcome = run(Map.of(), "./link", "--version");
    assertEquals(1, outcome.code());
    assertTrue(outcome.lines().get(0).contains("hpc/quickstart.sh"), outcome.lines().toString());
  }

  @Test
  void interruptReachesALauncherThatAScriptStartedInTheBackground() throws Exception {
    run(Map.of(), "cp", HPC.resolve("lockstep").toString(), "hpc/lockstep");
    Files.createDirectories(folder.resolve("java/cli/target/classes/dev/lockstep"));
    // A JDK whose java says whether SIGINT, bit 2 of the mask, is ignored.
    script("jdk/bin/java", "sed -n 's/^SigIgn:.*\\(.\\)$/\\1/p' /proc/self/status");
    Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"17.0.1\"\n");
    Map<String, String> environment = Map.of("JAVA_HOME", folder.resolve("jdk").toString());
    String background = "hpc/lockstep %s & wait";
    Outcome launch =
        run(environment, "bash", "-c", String.format(Locale.ROOT, background, "launch"));
    Outcome train = run(environment, "bash", "-c", String.format(Locale.ROOT, background, "train"));
    assertEquals(0, Integer.parseInt(launch.lines().get(0), 16) & 2);
    assertEquals(2, Integer.parseInt(train.lines().get(0), 16) & 2);
  }

  /** In the locale C the JVM cannot name files beyond ASCII. */
  @Test
  void theLocaleCBecomesOneThatHasAllNames() throws Exception {
    run(Map.of(), "cp", HPC.resolve("lockstep").toString(), "hpc/lockstep");
    Files.createDirectories(folder.resolve("java/cli/target/classes/dev/lockstep"));
    script("jdk/bin/java", "echo \"$LC_ALL\"");
    Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"17.0.1\"\n");
    String home = folder.resolve("jdk").toString();
    for (String locale : new String[] {"C", "POSIX", ""}) {
      Map<String, String> environment =
          Map.of("JAVA_HOME", home, "LC_ALL", locale, "LC_CTYPE", "", "LANG", "");
      assertEquals(List.of("C.UTF-8"), run(environment, "hpc/lockstep", "--version").lines());
    }
    Map<String, String> german = Map.of("JAVA_HOME", home, "LC_ALL", "de_DE.UTF-8");
    List<String> kept = run(german, "hpc/lockstep", "--version").lines();
    assertEquals("de_DE.UTF-8", kept.get(kept.size() - 1)); // after bash's warning, without it
  }

  @Test
  void programWithoutJavaSaysSo() throws Exception {
    run(Map.of(), "cp", HPC.resolve("lockstep").toString(), "hpc/lockstep");
    Outcome outcome = run(Map.of("JAVA_HOME", "/no/java"), "hpc/lockstep", "--version");
    assertEquals(
        List.of(
            "lockstep: no Java found at JAVA_HOME=/no/java; install JDK 17 or newer, or run"
                + " hpc/quickstart.sh"),
        outcome.lines());
  }

  @Test
  void aHeapThatIsNoSizeIsAConfigurationMistake() throws Exception {
    Outcome outcome =
        run(Map.of("LOCKSTEP_HEAP", "lots"), HPC.resolve("lockstep").toString(), "--version");
    assertEquals(
        List.of("lockstep: LOCKSTEP_HEAP is 'lots'; give the size of the Java heap, as in 8g"),
        outcome.lines());
    assertEquals(ExitCode.CONFIGURATION, outcome.code());
  }

  @Test
  void aCacheThatCannotBeUsedIsAConfigurationMistake() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "");
    Outcome outcome =
        run(Map.of("LOCKSTEP_CACHE", file.toString()), HPC.resolve("lockstep").toString(), "check");
    assertEquals(
        List.of(
            "lockstep: LOCKSTEP_CACHE="
                + file
                + " cannot be used: it is a file. Name another folder."),
        outcome.lines());
    assertEquals(ExitCode.CONFIGURATION, outcome.code());
  }

  /** Debian's mpich has mpicc.mpich, but mpi.h comes with libmpich-dev. */
  @Test
  void anMpiWithoutItsHeadersCountsAsMissing() throws Exception {
    script("bin/mpirun.mpich", "");
    script("bin/mpicc.mpich", "exec c++ -nostdinc \"$@\"");
    String ask = "source hpc/packages.sh; have_mpi mpich; echo $?";
    assertEquals(new Outcome(0, List.of("1")), run(Map.of(), "bash", "-c", ask));
    script("bin/mpicc.mpich", "exec c++ -Iinclude \"$@\"");
    Path header = Files.createDirectories(folder.resolve("include")).resolve("mpi.h");
    Files.writeString(header, "#define MPICH_VERSION\nstatic int MPI_Finalize() { return 0; }\n");
    assertEquals(new Outcome(0, List.of("0")), run(Map.of(), "bash", "-c", ask));
  }
}
