package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A configuration on one process, and cut over ranks by two keys of the command line. */
@Tag("same-on-every-jdk")
@Timeout(300)
class PipelineCommandTest {
  private static final Path PROGRAM =
      Path.of(System.getProperty("lockstep.repository")).resolve("hpc/lockstep");

  @TempDir Path folder;

  @BeforeEach
  void writeConfiguration() throws Exception {
    Files.writeString(
        folder.resolve("run.yaml"),
        """
        name: run
        threads: 1
        data: {synthetic: {samples: 300}, validation_fraction: 0.2}
        model: {hidden: [16, 16, 16]}
        training: {epochs: 2, batch_size: 50, clip_norm: 0.5}
        optimizer: {type: adam, learning_rate: 0.005}
        output: {folder: %s, progress: plain, plots: false}
        """
            .replace("%s", folder.toString()));
  }

  private String run(int exitCode, int ranks, String... settings) throws Exception {
    List<String> command = new ArrayList<>(List.of(PROGRAM.toString()));
    if (ranks > 1) {
      command.addAll(List.of("launch", "-n", Integer.toString(ranks), "--"));
    }
    command.addAll(List.of("train", folder.resolve("run.yaml").toString()));
    Arrays.stream(settings).forEach(setting -> command.addAll(List.of("--set", setting)));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Process process = builder.start();
    CompletableFuture.delayedExecutor(120, TimeUnit.SECONDS).execute(process::destroyForcibly);
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(exitCode, process.waitFor(), output);
    return output;
  }

  /** The validation loss with all of its digits. */
  private String loss(int ranks, String... settings) throws Exception {
    String name = "run-" + ranks + "-" + Integer.toHexString(Arrays.hashCode(settings));
    List<String> all = new ArrayList<>(Arrays.asList(settings));
    all.add("name=" + name);
    run(0, ranks, all.toArray(new String[0]));
    Path summary = folder.resolve(name).resolve("summary.json");
    return new ObjectMapper().readTree(summary.toFile()).required("validation_loss").asText();
  }

  @Test
  void twoKeysCutAModelAndTheLossIsThatOfAccumulationToTheLastDigit() throws Exception {
    String expected = loss(1, "training.accumulation_steps=4");
    // PipelineTrainingTest has other numbers of ranks.
    assertEquals(expected, loss(3, "mesh.pipeline=3", "strategy.pipeline.micro_batches=4"));
    assertEquals(
        loss(2, "training.accumulation_steps=4", "strategy.fused=false"),
        loss(4, "mesh={data: 2, pipeline: 2}", "strategy.pipeline.micro_batches=4"),
        "two pipelines of two ranks");
  }

  @Test
  void aMeshThatIsNotThatOfTheRanksIsRefusedByItsKey() throws Exception {
    String few = run(3, 2, "mesh.pipeline=4", "strategy.pipeline.micro_batches=4");
    assertTrue(few.contains("mesh.pipeline: "), few);
    String many = run(3, 1, "mesh.pipeline=5", "strategy.pipeline.micro_batches=4");
    assertTrue(many.contains("mesh.pipeline: the model has 4 parts that can lie on"), many);
    String other = run(3, 1, "mesh.pipeline=2");
    assertTrue(other.contains("mesh.pipeline: is 2, but strategy.type data_parallel"), other);
    String both = run(3, 1, "training.accumulation_steps=2", "strategy.pipeline.micro_batches=4");
    assertTrue(both.contains("training.accumulation_steps: must be 1 with a pipeline"), both);
  }
}
