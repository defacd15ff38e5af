package dev.lockstep.monitor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How rank 0 records the fit of clusters or trees, or a federation: the run folder with {@code
 * config.yaml}, {@code metrics.jsonl} (a JSON object a step), {@code checkpoint.json}, and at the
 * end {@code model.json}, {@code summary.json} and plots. Not thread-safe.
 */
public final class FitRecording implements AutoCloseable {
  private static final JsonMapper MAPPER = new JsonMapper();

  private final RunFolder folder;
  private final Words words;
  private final RunFolderClaim claim;
  private final OutputConfig output;
  private final PrintStream out;
  private final boolean bar;
  private final boolean resume;
  private @Nullable FileChannel metrics;
  private @Nullable ProgressLine progress;
  private final List<Step> steps = new ArrayList<>();
  private final Map<String, Double> phases = new LinkedHashMap<>();

  /**
   * What is recorded.
   *
   * @param task as the progress bar calls it
   * @param step what a line of the metrics is about, and its key there
   */
  public record Words(String task, String step) {
    /** Of clusters and trees. */
    public static final Words FIT = new Words("fit", "step");

    /** Of a federation. */
    public static final Words FEDERATION = new Words("federate", "round");
  }

  /**
   * Makes the folder, or takes it up.
   *
   * @param terminal whether {@code out} is one
   * @throws RunFolderException if that cannot be done
   */
  public FitRecording(
      Words words,
      RunFolder folder,
      boolean resume,
      String configYaml,
      OutputConfig output,
      PrintStream out,
      boolean terminal) {
    this.words = words;
    this.folder = folder;
    this.output = output;
    this.out = out;
    this.resume = resume;
    bar =
        output.progress() == OutputConfig.Progress.BAR
            || (output.progress() == OutputConfig.Progress.AUTO && terminal);
    claim = resume ? RunFolderClaim.resumed(folder) : RunFolderClaim.fresh(folder);
    try {
      AtomicFile.replace(folder.config(), configYaml);
    } catch (RunFolderException e) {
      claim.close();
      throw e;
    }
  }

  /**
   * A line of the metrics.
   *
   * @param number of the step, from 1
   * @param values what was measured in it
   */
  public record Step(int number, Map<String, Double> values) {}

  /** {@code checkpoint.json}. */
  private Path checkpointFile() {
    return folder.path().resolve("checkpoint.json");
  }

  /** {@code model.json}. */
  public Path modelFile() {
    return folder.path().resolve("model.json");
  }

  /** Adds what a phase took. */
  public void phase(String name, double seconds) {
    phases.merge(name, seconds, Double::sum);
  }

  /** Writes a line of metrics and moves the progress bar. */
  public void step(int step, int most, Map<String, Double> values) {
    if (metrics == null) {
      metrics = openMetrics(step);
    }
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put(words.step(), step);
    values.forEach((name, value) -> putFinite(json, name, value));
    steps.add(new Step(step, values));
    ByteBuffer line = ByteBuffer.wrap((json + "\n").getBytes(StandardCharsets.UTF_8));
    try {
      while (line.hasRemaining()) {
        metrics.write(line);
      }
    } catch (IOException e) {
      throw RunFolderException.writing(folder.metrics(), e);
    }
    if (bar) {
      if (progress == null) {
        progress = new ProgressLine(out, words.task(), most, step - 1L);
      }
      progress.stepTo(step);
    } else if (output.progress() != OutputConfig.Progress.NONE && (step & (step - 1)) == 0) {
      // Without a bar a line at 1, 2, 4, 8, … steps shows that it goes on.
      out.println(words.step() + " " + step + " of at most " + most + ": " + shown(values));
    }
  }

  private static String shown(Map<String, Double> values) {
    StringBuilder text = new StringBuilder();
    values.forEach(
        (name, value) ->
            text.append(text.isEmpty() ? "" : ", ")
                .append(name)
                .append(String.format(java.util.Locale.ROOT, " %.6g", value)));
    return text.toString();
  }

  /** Lines of steps that a resumed run takes again, and a torn last line, are dropped. */
  private FileChannel openMetrics(int firstStep) {
    Path path = folder.metrics();
    StringBuilder kept = new StringBuilder();
    try {
      if (resume && Files.exists(path)) {
        for (String line : Files.readString(path).split("\n", -1)) {
          keep(line, firstStep, kept);
        }
      }
      AtomicFile.replace(path, kept.toString());
      return FileChannel.open(path, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw RunFolderException.writing(path, e);
    }
  }

  private void keep(String line, int firstStep, StringBuilder kept) {
    JsonNode json;
    try {
      json = MAPPER.readTree(line);
    } catch (JsonProcessingException torn) {
      return;
    }
    int step = json.path(words.step()).asInt();
    if (step >= 1 && step < firstStep) {
      kept.append(line).append('\n');
      Map<String, Double> values = new LinkedHashMap<>();
      json.fields()
          .forEachRemaining(
              field -> values.put(field.getKey(), field.getValue().asDouble(Double.NaN)));
      values.remove(words.step());
      steps.add(new Step(step, values));
    }
  }

  /** {@code checkpoint.bin}, of a federation. */
  public static Path federationCheckpoint(RunFolder folder) {
    return folder.path().resolve("checkpoint.bin");
  }

  /** Replaces the checkpoint. */
  public void checkpoint(String state) {
    AtomicFile.replace(checkpointFile(), state);
  }

  /**
   * The checkpoint of the run that is resumed.
   *
   * @throws RunFolderException if there is none
   */
  public Optional<String> resumeFrom() {
    if (!resume) {
      return Optional.empty();
    }
    try {
      return Optional.of(Files.readString(checkpointFile()));
    } catch (IOException e) {
      throw new RunFolderException(
          "There is no checkpoint to resume from in %s; %s without --resume."
              .formatted(folder.path(), words.task()),
          e);
    }
  }

  /** What was measured in each step, in order; of a resumed run, since its beginning. */
  public List<Step> steps() {
    return List.copyOf(steps);
  }

  /**
   * Writes the model, then the summary; the checkpoint is no longer needed.
   *
   * @param facts texts and whole numbers of {@code summary.json}
   * @param scores by name
   * @param plots content of PNG files by name
   */
  public void finish(
      String model,
      Map<String, Object> facts,
      Map<String, Double> scores,
      Map<String, byte[]> plots) {
    AtomicFile.replace(modelFile(), model);
    finish(facts, scores, plots);
    delete(checkpointFile());
  }

  /** As the other, for models that have been written already. */
  public void finish(
      Map<String, Object> facts, Map<String, Double> scores, Map<String, byte[]> plots) {
    if (progress != null) {
      progress.close();
    }
    if (output.plots()) {
      plots.forEach((name, png) -> AtomicFile.replace(folder.path().resolve(name), png));
    }
    ObjectNode json = MAPPER.valueToTree(facts);
    ObjectNode seconds = json.putObject("seconds");
    phases.forEach((name, value) -> putFinite(seconds, name, value));
    ObjectNode all = json.putObject("scores");
    scores.forEach((name, value) -> putFinite(all, name, value));
    AtomicFile.replace(folder.summary(), json.toPrettyString() + "\n");
    delete(federationCheckpoint(folder));
  }

  /** Writes a JSON file beside the others. */
  public void json(String name, Map<String, Object> content) {
    AtomicFile.replace(
        folder.path().resolve(name), MAPPER.valueToTree(content).toPrettyString() + "\n");
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw RunFolderException.writing(file, e);
    }
  }

  private static void putFinite(ObjectNode json, String name, double value) {
    if (Double.isFinite(value)) {
      json.put(name, value);
    } else {
      json.putNull(name);
    }
  }

  @Override
  public void close() {
    if (progress != null) {
      progress.close();
    }
    try {
      if (metrics != null) {
        metrics.close();
      }
    } catch (IOException e) {
      throw RunFolderException.writing(folder.metrics(), e);
    } finally {
      claim.close();
    }
  }
}
