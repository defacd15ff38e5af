package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.lockstep.config.ConfigException;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.config.FitConfig;
import dev.lockstep.config.RunConfig;
import dev.lockstep.data.SyntheticConfig;
import dev.lockstep.localize.LocalizationConfig;
import dev.lockstep.localize.network.NetworkConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Nothing that a user can type ends in exit code 1, "not foreseen". {@code -Dlockstep.fuzz=100}
 * tries a hundred times as many cases, {@code -Dlockstep.seed=…} others.
 */
@Timeout(value = 1, unit = TimeUnit.HOURS)
class CommandFuzzTest {
  private static final Path EXAMPLES =
      Path.of(System.getProperty("lockstep.repository"), "examples");

  private static final String SMALL_RUN =
      """
      name: fuzz
      seed: 1
      threads: 1
      data:
        synthetic:
          samples: 60
          features: 3
          targets: 2
          noise: 0.1
          seed: 3
        features: [x0, {variable: x1, function: sine, period: 2}, x2]
        targets: [y0, y1]
        drop_missing: true
        validation_fraction: 0.25
        seed: 7
      model:
        type: mlp
        hidden: [4]
        activation: tanh
        dtype: float32
      training:
        epochs: 2
        batch_size: 16
        accumulation_steps: 2
        clip_norm: 1.0
        loss: huber
        huber_delta: 0.5
        early_stopping: {patience: 2, min_delta: 0.0}
      optimizer:
        type: sgd
        learning_rate: 0.01
        momentum: 0.9
        nesterov: true
        weight_decay: 0.001
      schedule:
        type: cosine
        warmup_steps: 2
        step_epochs: 1
        gamma: 0.5
        minimum: 0.0
      strategy:
        type: data_parallel
        first_bucket_mib: 0.001
        bucket_mib: 0.01
        average_every: 2
      communicator:
        backend: single
        timeout_seconds: 5
        stall_seconds: 1
        tuning: null
        algorithms: {all_reduce: ring}
        flight_recorder: null
        timeline: null
      checkpoints:
        every_epochs: 1
        keep: 2
      output:
        folder: FOLDER
        plots: false
        tensorboard: true
        progress: plain
      """;

  private static final String SMALL_FIT =
      """
      name: fitted
      seed: 1
      data:
        path: FOLDER/table.csv
        features: [a]
        target: b
        validation_fraction: 0.5
      learner:
        type: boosting
        objective: regression
        rounds: 2
        num_leaves: 3
        learning_rate: 0.1
        min_data_in_leaf: 1
      checkpoint_every: 1
      output:
        folder: FOLDER/runs
        plots: false
        progress: none
      """;

  private static final String SMALL_NETWORK =
      """
      network:
        n_sensors: 8
        n_anchors: 4
        communication_range: 0.9
        dimension: 2
        seed: 5
      measurements:
        noise_factor: 0.02
        seed: 1
      algorithm:
        gamma: 0.99
        alpha: 10
        max_iterations: 30
        tolerance: 0
        early_termination: false
        form: dense
        design: sinkhorn_knopp
        prox: inexact
        max_neighbors: 5
        refine: true
        uncertainty: true
        huber: 2
        refine_iterations: 20
        refine_tolerance: 1e-6
        record: [5, 10]
      """;

  private final PrintStream realOut = System.out;
  private final PrintStream realErr = System.err;
  private final ByteArrayOutputStream said = new ByteArrayOutputStream();
  private final long seed = Long.getLong("lockstep.seed", 1);
  private final Map<Integer, Integer> codes = new TreeMap<>();
  private final Mutations mutations = new Mutations(seed);

  @TempDir private Path folder;

  @BeforeEach
  void catchOutput() {
    PrintStream stream = new PrintStream(said, true, StandardCharsets.UTF_8);
    System.setOut(stream);
    System.setErr(stream);
  }

  @AfterEach
  void restoreOutput() {
    System.setOut(realOut);
    System.setErr(realErr);
    System.out.println("Seed " + seed + ", cases by exit code: " + codes);
  }

  private static int cases(int usual) {
    return usual * Integer.getInteger("lockstep.fuzz", 1);
  }

  private void execute(String shown, String... arguments) {
    said.reset();
    int code;
    try {
      code = Main.execute(arguments);
    } catch (Throwable e) {
      throw new AssertionError("seed " + seed + "\n" + shown, e);
    }
    codes.merge(code, 1, Integer::sum);
    if (arguments.length > 0
        && arguments[0].equals("launch")
        && !said.toString(StandardCharsets.UTF_8).contains("not foreseen")) {
      return; // the launched program's own code
    }
    assertNotEquals(
        ExitCode.INTERNAL,
        code,
        () -> "seed " + seed + "\n" + shown + "\n" + said.toString(StandardCharsets.UTF_8));
  }

  @Test
  void everyMutationOfTheExamplesIsAConfigurationOrARefusal() throws IOException {
    List<String> examples = new ArrayList<>(List.of(SMALL_RUN, SMALL_NETWORK, SMALL_FIT));
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".yaml")).sorted().toList()) {
        examples.add(Files.readString(file));
      }
    }
    for (int i = 0; i < cases(2000); i++) {
      String text = mutations.yaml(mutations.pick(examples));
      Class<? extends Record> type =
          mutations.pick(
              List.of(
                  RunConfig.class,
                  LocalizationConfig.class,
                  FitConfig.class,
                  FederateConfig.class));
      List<String> overrides =
          mutations.below(4) == 0
              ? List.of(mutations.word("training.epochs") + "=" + mutations.value())
              : List.of();
      Record config;
      try {
        config = ConfigLoader.parse(type, "fuzz.yaml", text, overrides);
      } catch (ConfigException foreseen) {
        continue;
      } catch (RuntimeException | StackOverflowError e) {
        fail("seed " + seed + ", case " + i + ", " + overrides + "\n" + text, e);
        return;
      }
      String written = ConfigLoader.toYaml(config);
      assertEquals(config, ConfigLoader.parse(type, "written", written, List.of()), text);
    }
  }

  @Test
  void everyRunEndsWithACodeOfItsOwn() throws IOException {
    String base = SMALL_RUN.replace("FOLDER", folder.resolve("runs").toString());
    int run = 0;
    for (int i = 0; i < cases(150) && run < cases(10); i++) {
      String text = mutations.yaml(base);
      Path file = Files.writeString(folder.resolve("run.yaml"), text);
      if (isShort(text)) {
        run++;
        List<String> line = new ArrayList<>(List.of("train", file.toString()));
        if (mutations.below(4) == 0) {
          line.add(mutations.pick(List.of("--resume", "--profile", "--create-data")));
        }
        execute(line + "\n" + text, line.toArray(String[]::new));
      }
    }
  }

  /** Only what is trained in a moment and writes into the test's folder. */
  private boolean isShort(String text) {
    RunConfig config;
    try {
      config = ConfigLoader.parse(RunConfig.class, "", text, List.of());
    } catch (ConfigException refused) {
      return true;
    }
    SyntheticConfig data = config.data().synthetic();
    return data != null
        && data.samples() <= 1000
        && data.features() <= 20
        && data.targets() <= 20
        && config.training().epochs() <= 5
        && config.threads() <= 4
        && config.model().hidden().stream().allMatch(width -> width <= 100)
        && config.training().accumulationSteps() <= 100
        && config.folder().path().startsWith(folder);
  }

  @Test
  void everyLocalisationEndsWithACodeOfItsOwn() throws IOException {
    int run = 0;
    for (int i = 0; i < cases(300) && run < cases(20); i++) {
      String text = mutations.yaml(SMALL_NETWORK);
      Path file = Files.writeString(folder.resolve("network.yaml"), text);
      if (isShortLocalisation(text)) {
        run++;
        execute(
            text,
            "localize",
            "--config",
            file.toString(),
            "--out",
            folder.resolve("located").toString());
      }
    }
  }

  private static boolean isShortLocalisation(String text) {
    try {
      LocalizationConfig config = ConfigLoader.parse(LocalizationConfig.class, "", text, List.of());
      NetworkConfig network = config.network();
      return (!network.generates() || network.nSensors() <= 30 && network.nAnchors() <= 100)
          && config.algorithm().maxIterations() <= 200
          && config.algorithm().refineIterations() <= 200;
    } catch (ConfigException refused) {
      return true;
    }
  }

  @Test
  void everyCommandLineEndsWithACodeOfItsOwn() throws IOException {
    for (int i = 0; i < cases(150); i++) {
      List<String> line = commandLine();
      execute(i + ": " + line, line.toArray(String[]::new));
    }
  }

  /** A line that works, or nearly, with a few words replaced, removed or added. */
  private List<String> commandLine() throws IOException {
    List<String> paths = paths();
    List<String> line = new ArrayList<>(List.of(mutations.pick(LINES).split(" ")));
    line.replaceAll(word -> word.replace("F/", folder + "/"));
    for (int i = mutations.below(4); i > 0; i--) {
      int at = 1 + mutations.below(line.size());
      boolean launch = line.get(0).equals("launch");
      switch (mutations.below(launch ? 2 : 5)) {
        case 0 -> line.remove(at - 1);
        case 1 -> line.set(at - 1, mutations.pick(WORDS));
        case 2 -> line.set(at - 1, mutations.pick(paths));
        case 3 -> line.add(at, mutations.pick(paths));
        default -> {
          line.add(mutations.pick(OPTIONS));
          line.add(mutations.pick(mutations.below(2) == 0 ? paths : WORDS));
        }
      }
      if (line.isEmpty()) {
        return line;
      }
    }
    return line;
  }

  private static final List<String> LINES =
      List.of(
          "train F/run.yaml",
          "train F/run.yaml --set data={\"path\":\"F/table.csv\",\"features\":[a],\"targets\":[b]}",
          "train F/run.yaml --set training.batch_size=3 --name other --backend single",
          "predict F/model.pt F/table.csv --features a --output F/out/p.csv",
          "predict F/model.pt F/table.csv --config F/run.yaml --output F/out/p.nc",
          "localize --network F/ranges.csv --out F/out/located --set algorithm.max_iterations=9",
          "localize --config F/network.yaml --out F/out/located --timeout 5",
          "fit F/fit.yaml",
          "fit F/fit.yaml --set learner={\"type\":\"kmeans\",\"clusters\":1} --resume",
          "predict F/learned.json F/table.csv --output F/out/learned.csv",
          "summary F/runs/fuzz",
          "check --timeout 5 --backend single",
          "verify strategy local_sgd --ranks 2 --schedules 0 --faults 0 --seed 2 --limit 60",
          "config --defaults localize",
          "config --explain training.epochs",
          "data describe F/table.csv",
          "data create F/out/made.csv --samples 5 --features 2 --targets 1 --noise 0.5 --seed 3",
          "bench allreduce --sizes 8 --iterations 1 --warm-up 0 --types f32 --op sum",
          "bench barrier pingpong --sizes 0,8 --iterations 1 --json F/out/results.json",
          "bench tune --sizes 8 --iterations 1 --output F/out/tuning",
          "bench plot F/wrong.json --output F/out/curves.png",
          "launch -n 2 --port 0 --grace 1 -- true",
          "launch -n 1 true",
          "doctor --help",
          "completion");

  private static final List<String> OPTIONS =
      List.of(
          "--set",
          "--name",
          "--backend",
          "--timeout",
          "--resume",
          "--timeline",
          "--config",
          "--features",
          "-o",
          "--output",
          "--out",
          "--network",
          "--anchors",
          "--samples",
          "--targets",
          "--noise",
          "--seed",
          "--types",
          "--op",
          "--registered",
          "--in-place",
          "--warm-up",
          "--algorithm",
          "--json",
          "--defaults",
          "--explain",
          "--help",
          "--verbose",
          "--nothing");

  private static final List<String> WORDS =
      List.of(
          "",
          "0",
          "1",
          "-1",
          "x",
          "single",
          "tcp",
          "mpi",
          "gloo",
          "shared_memory",
          "auto",
          "f32,bf16",
          "f99",
          "sum",
          "ring",
          "none",
          "allreduce",
          "barrier",
          "pingpong",
          "train",
          "localize",
          "training.epochs",
          "training.epochs=1",
          "=",
          "a=b",
          "data.path=x",
          "data={synthetic: {samples: 20}}",
          "1e9",
          "NaN",
          "Infinity",
          "99999999999999999999",
          "é",
          "\u0000",
          "--");

  /** Files of every kind, and some that are none. */
  private List<String> paths() throws IOException {
    Path out = folder.resolve("out");
    Files.createDirectories(out);
    Files.write(folder.resolve("junk"), new byte[] {1, 2, 3, 0, -1, 80, 75});
    Files.writeString(folder.resolve("empty.csv"), "");
    Files.writeString(folder.resolve("table.csv"), "a,b\n1,2\n3,4\n");
    Files.writeString(
        folder.resolve("ranges.csv"),
        "anchor,x,y\nA,0,0\nB,1,0\nC,0,1\nfrom,to,range\nS,A,0.7\nS,B,0.7\nS,C,0.7\n");
    Files.writeString(folder.resolve("wrong.json"), "[{\"operation\": 3}]");
    Files.writeString(folder.resolve("model.pt"), "no model");
    Files.writeString(
        folder.resolve("run.yaml"), SMALL_RUN.replace("FOLDER", folder.resolve("runs").toString()));
    Files.writeString(folder.resolve("network.yaml"), SMALL_NETWORK);
    Files.writeString(folder.resolve("fit.yaml"), SMALL_FIT.replace("FOLDER", folder.toString()));
    Files.writeString(folder.resolve("learned.json"), "{\"kind\": \"kmeans\"}");
    List<String> paths = new ArrayList<>();
    for (String name :
        List.of(
            "junk",
            "empty.csv",
            "table.csv",
            "wrong.json",
            "model.pt",
            "run.yaml",
            "network.yaml",
            "fit.yaml",
            "learned.json",
            "out",
            "none",
            "none/none",
            "out/new.csv",
            "out/new.nc",
            "out/new.npy")) {
      paths.add(folder.resolve(name).toString());
    }
    return paths;
  }
}
