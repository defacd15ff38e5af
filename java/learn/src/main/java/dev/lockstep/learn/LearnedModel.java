package dev.lockstep.learn;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What a fit gives. Immutable and thread-safe. */
public interface LearnedModel {
  /** The columns that it predicts from, in order. */
  List<String> features();

  /** Of each feature, the texts that its numbers stand for; empty where they are numbers. */
  List<List<String>> categories();

  /** What {@link #predict(double[], int, double[])} gives for a row, by name. */
  List<String> outputs();

  /**
   * Predicts for a block of rows.
   *
   * @param rows {@code count × features().size()} values, row by row; NaN where missing
   * @param out gets {@code count × outputs().size()} values
   */
  void predict(double[] rows, int count, double[] out);

  /** How well it fits what it was fitted to or scored on, by name. */
  Map<String, Double> scores();

  /** The content of {@code model.json}; equal models have equal bytes. */
  String toJson();

  /** SHA-256 of {@link #toJson} in UTF-8, in lower-case hexadecimal. */
  default String sha256() {
    return Json.sha256(toJson());
  }

  /**
   * Reads a {@code model.json}.
   *
   * @throws LearningException if it is none, or damaged
   */
  static LearnedModel read(Path file) {
    requireNonNull(file, "file");
    String text;
    try {
      text = Files.readString(file);
    } catch (IOException e) {
      throw new LearningException(
          Files.exists(file)
              ? file + " cannot be read: " + e.getMessage()
              : "There is no model file " + file + ".",
          e);
    }
    String format = Json.format(text, file.toString());
    return switch (format) {
      case KMeansModel.FORMAT -> KMeansModel.parse(text, file.toString());
      case TreeModel.FORMAT -> TreeModel.parse(text, file.toString());
      default ->
          throw new LearningException(
              file + " is of the unknown format \"" + format + "\"; fit writes such files.");
    };
  }
}
