package dev.lockstep.monitor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.monitor.TrainingEvent.Validated;
import java.util.Map;

/**
 * Epochs and summaries as JSON. Keys come in a fixed order; JSON has no NaN and no infinity, so a
 * number that is not finite becomes null.
 */
final class RecordJson {
  private static final JsonMapper MAPPER = new JsonMapper();

  private RecordJson() {}

  /** One line of {@code metrics.jsonl}, with its line feed. */
  static String line(EpochRecord epoch) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("epoch", epoch.epoch()).put("step", epoch.step());
    put(json, "train_loss", epoch.trainLoss());
    put(json, "validation_loss", epoch.validationLoss());
    putScores(json, epoch.scores());
    put(json, "learning_rate", epoch.learningRate());
    json.put("samples", epoch.samples());
    put(json, "seconds", epoch.seconds());
    put(json, "samples_per_second", epoch.samplesPerSecond());
    put(json, "communication_share", epoch.communicationShare());
    return json + "\n";
  }

  /** A line of {@code metrics.jsonl} for a validation within an epoch; it has no training loss. */
  static String line(Validated validated) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("epoch", validated.epoch()).put("step", validated.steps());
    put(json, "validation_loss", validated.loss());
    putScores(json, validated.scores());
    return json + "\n";
  }

  /** The text of {@code summary.json}. */
  static String document(RunSummary summary) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    put(json, "train_loss", summary.trainLoss());
    put(json, "validation_loss", summary.validationLoss());
    putScores(json, summary.scores());
    json.put("samples", summary.samples());
    json.put("world_size", summary.worldSize());
    json.put("backend", summary.backend());
    json.put("epochs", summary.epochs());
    put(json, "seconds", summary.seconds());
    put(json, "samples_per_second", summary.samplesPerSecond());
    put(json, "communication_share", summary.communicationShare());
    ArrayNode hashes = json.putArray("parameters_sha256");
    summary.parametersSha256().forEach(hashes::add);
    summary.test().ifPresent(test -> putTest(json.putObject("test"), test));
    try {
      return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A tree of plain values could not be written as JSON.", e);
    }
  }

  private static void putTest(ObjectNode json, TestScores test) {
    json.put("samples", test.samples());
    putArea(json, test.everywhere());
    if (!test.regions().isEmpty()) {
      ObjectNode regions = json.putObject("regions");
      test.regions().forEach((name, area) -> putArea(regions.putObject(name), area));
    }
  }

  private static void putArea(ObjectNode json, TestScores.Area area) {
    if (area.all() != null) {
      putScores(json, area.all());
    }
    ObjectNode targets = json.putObject("targets");
    area.targets().forEach((name, scores) -> putScores(targets.putObject(name), scores));
  }

  private static void putScores(ObjectNode json, TestScores.Scores scores) {
    put(json, "rmse_weighted", scores.rmse());
    put(json, "mae_weighted", scores.mae());
    put(json, "bias_weighted", scores.bias());
    put(json, "acc", scores.acc());
    putAll(json.putObject("baselines"), scores.baselines());
    putAll(json.putObject("skill"), scores.skills());
  }

  private static void putScores(ObjectNode json, ValidationScores scores) {
    putAll(json.putObject("r2"), scores.r2());
    putAll(json.putObject("rmse"), scores.rmse());
    scores.accuracy().ifPresent(accuracy -> put(json, "accuracy", accuracy));
  }

  private static void putAll(ObjectNode json, Map<String, Double> values) {
    values.forEach((target, value) -> put(json, target, value));
  }

  private static void put(ObjectNode json, String key, double value) {
    if (Double.isFinite(value)) {
      json.put(key, value);
    } else {
      json.putNull(key);
    }
  }
}
