package dev.lockstep.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConsoleRecorderTest {
  @TempDir Path folder;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  @Test
  void printsPlainLines() throws IOException {
    Files.writeString(folder.resolve("model.pt"), "");
    Files.createDirectory(folder.resolve("checkpoints"));
    Files.writeString(folder.resolve(".lock"), "");

    run(false, RunSamples.start(1));

    assertEquals(
        String.format(
            Locale.ROOT,
            """
        Run heat-flux: backend tcp, world size 2, 1 thread a rank, master address 127.0.0.1:40001
        Samples per rank: 7,994 + 7,994; held out: 3,997; trainable parameters: 18,308
        Epochs 1 to 30, 63 steps each
        Epoch  1/30   train loss 1.000   validation loss 1.250   255,808 samples/s   12.5 %% communicating
        Epoch  2/30   train loss 0.5000   validation loss 0.6250   255,808 samples/s   12.5 %% communicating
        Trained 30 epochs in 1.9 s: 255,808 samples/s, 12.5 %% communicating
        R² of FSR  0.9912   RMSE 7.250
        R² of FUL  0.9961   RMSE 1.500
        Files in %s:
          checkpoints/
          model.pt
        """,
            folder),
        text());
  }

  @Test
  void printsTheSameInEveryLocale() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.GERMANY);
      run(false, RunSamples.start(1));
    } finally {
      Locale.setDefault(before);
    }
    assertTrue(text().contains("train loss 0.5000") && text().contains("7,994"), text());
    assertTrue(text().contains("255,808 samples/s   12.5 %"), text());
  }

  @Test
  void drawsABarBelowTheLines() {
    run(true, RunSamples.start(1));

    String text = text();
    assertTrue(text.contains("\rheat-flux "), text);
    assertTrue(text.contains("/1890"), text);
    for (String line : text.split("\n")) {
      String seen = line.substring(line.lastIndexOf('\r') + 1);
      assertFalse(seen.contains("/1890"), "the bar was left on the screen: " + seen);
    }
    assertTrue(text.contains("\rEpoch  2/30   train loss 0.5000"), text);
    assertTrue(text.endsWith("Files in " + folder + ":\n"), text);
  }

  @Test
  void endsTheBarOfARunThatFails() {
    ConsoleRecorder console = console(true);
    console.on(new TrainingEvent.Started(RunSamples.start(1)));
    console.on(new TrainingEvent.StepDone(1, 5, 5, 0));
    console.close();
    console.close();

    assertTrue(text().endsWith("\r"), "the cursor stands on an empty line");
  }

  @Test
  void tellsWhatIsDifferentAboutAResumedLargeOrSingleRun() {
    run(
        false,
        new RunStart(
            "a", "mpi", 16, 4, Optional.empty(), Collections.nCopies(16, 10L), 0, 5, 7, 30, 1));

    assertTrue(text().contains("4 threads a rank, master address none"), text());
    assertTrue(text().contains("Samples per rank: 10 to 10;"), text());
    assertTrue(text().contains("Resuming: epochs 7 to 30, 1 step each"), text());
  }

  @Test
  void saysThatNothingIsLeftToDo() {
    RunStart start =
        new RunStart("a", "single", 1, 1, Optional.empty(), List.of(1L), 0, 5, 5, 4, 1);
    ConsoleRecorder console = console(true);
    console.on(new TrainingEvent.Started(start));
    console.on(
        new TrainingEvent.Finished(
            new RunSummary(
                0.5, 0.5, ValidationScores.none(), 1, 1, "single", 4, 0, 0, 0, List.of("ab")),
            List.of()));

    assertTrue(text().contains("Nothing left to do: 4 epochs are done"), text());
    assertFalse(text().contains("samples/s") || text().contains("Resuming"), text());
  }

  @Test
  void printsAccuracyAndLeavesOutAValidationLossThatIsNot() {
    ConsoleRecorder console = console(false);
    ValidationScores scores = new ValidationScores(Map.of(), Map.of(), OptionalDouble.of(0.9731));
    console.on(new TrainingEvent.Started(RunSamples.start(1)));
    console.on(
        new TrainingEvent.EpochDone(new EpochRecord(1, 1, 0.5, Double.NaN, scores, 1, 1, 1, 0)));
    console.on(
        new TrainingEvent.Finished(
            new RunSummary(0.5, Double.NaN, scores, 1, 1, "single", 1, 1, 1, 0, List.of("ab")),
            List.of()));

    assertFalse(text().contains("validation loss"), text());
    assertTrue(text().contains("Trained 1 epoch in"), text());
    assertTrue(text().contains("Accuracy 97.31 %\n"), text());
  }

  private void run(boolean bar, RunStart start) {
    try (ConsoleRecorder console = console(bar)) {
      console.on(new TrainingEvent.Started(start));
      for (int epoch = 1; epoch <= 2; epoch++) {
        for (int step = 1; step <= 63; step++) {
          console.on(new TrainingEvent.StepDone(epoch, step, step, 0));
        }
        console.on(new TrainingEvent.EpochDone(RunSamples.epoch(epoch)));
      }
      console.on(new TrainingEvent.Finished(RunSamples.summary(), List.of()));
    }
  }

  private ConsoleRecorder console(boolean bar) {
    return new ConsoleRecorder(new RunFolder(folder), RecordingTest.stream(printed), bar);
  }

  private String text() {
    return printed.toString(StandardCharsets.UTF_8);
  }
}
