package dev.lockstep.examples;

import dev.lockstep.model.Predictor;
import java.nio.file.Path;

/** Asks a model that Lockstep trained, in physical numbers. */
public final class Predicting {
  private Predicting() {}

  /** One row of inputs; prints the outputs. */
  public static void main(String[] arguments) {
    try (Predictor predictor = Predictor.load(Path.of("runs/mine/model.pt"))) {
      double[] outputs = predictor.predict(5.2, 290.1, 288.4);
      System.out.println(outputs[0]);
    }
  }
}
