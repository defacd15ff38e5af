package dev.lockstep.examples;

import dev.lockstep.model.Predictor;
import java.nio.file.Path;

/** Applies a model for fields to a file; the forecast lies on the file's grid. */
public final class PredictingFields {
  private PredictingFields() {}

  /** From {@code new.nc} to {@code forecast.nc}. */
  public static void main(String[] arguments) {
    try (Predictor predictor = Predictor.load(Path.of("runs/winds/model.pt"))) {
      predictor.predict(Path.of("new.nc"), Path.of("forecast.nc"));
    }
  }
}
