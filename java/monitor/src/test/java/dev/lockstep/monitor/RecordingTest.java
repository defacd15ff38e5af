package dev.lockstep.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordingTest {
  private static final JsonMapper MAPPER = new JsonMapper();

  @TempDir Path runs;

  @Test
  void leavesTheWholeRunInItsFolder() throws IOException {
    record(false, 1, 3, true);

    RunFolder folder = folder();
    List<String> contents = new ArrayList<>(folder.contents());
    assertTrue(
        contents.removeIf(name -> name.startsWith("events.out.tfevents.")), contents.toString());
    assertEquals(
        List.of("config.yaml", "loss.png", "metrics.jsonl", "prediction.png", "summary.json"),
        contents);
    assertEquals("name: heat-flux\n", Files.readString(folder.config()));
    JsonNode second = MAPPER.readTree(Files.readAllLines(folder.metrics()).get(1));
    assertEquals(2, second.get("epoch").asInt());
    assertEquals(126, second.get("step").asInt());
    assertEquals(0.5, second.get("train_loss").asDouble());
    assertEquals(0.625, second.get("validation_loss").asDouble());
    assertEquals(0.9961, second.get("r2").get("FUL").asDouble());
    assertEquals(255_808, second.get("samples_per_second").asDouble());
  }

  @Test
  void summarisesUnderTheDocumentedKeys() throws IOException {
    record(false, 1, 1, true);

    String text = Files.readString(folder().summary());
    JsonNode summary = MAPPER.readTree(text);
    List<String> keys = new ArrayList<>();
    summary.fieldNames().forEachRemaining(keys::add);
    assertEquals(
        List.of(
            "train_loss",
            "validation_loss",
            "r2",
            "rmse",
            "samples",
            "world_size",
            "backend",
            "epochs",
            "seconds",
            "samples_per_second",
            "communication_share",
            "parameters_sha256"),
        keys);
    assertEquals("{\"FSR\":0.9912,\"FUL\":0.9961}", summary.get("r2").toString());
    assertEquals("[\"ab12\",\"ab12\"]", summary.get("parameters_sha256").toString());
    assertEquals(2, summary.get("world_size").asInt());
    assertEquals("tcp", summary.get("backend").asText());
  }

  @Test
  void writesNullForLossesThatAreNotNumbers() throws IOException {
    EpochRecord diverged =
        new EpochRecord(
            1, 63, Double.POSITIVE_INFINITY, Double.NaN, ValidationScores.none(), 1e-3, 10, 0, 0);

    JsonNode line = MAPPER.readTree(RecordJson.line(diverged));

    assertTrue(line.get("train_loss").isNull() && line.get("validation_loss").isNull());
    assertEquals(0, line.get("samples_per_second").asDouble());
  }

  @Test
  void keepsTheEarlierRunOfTheSameName() throws IOException {
    for (int run = 0; run < 3; run++) {
      record(false, 1, run + 1, false);
    }

    assertEquals(1, Files.readAllLines(runs.resolve("heat-flux.1/metrics.jsonl")).size());
    assertEquals(2, Files.readAllLines(runs.resolve("heat-flux.2/metrics.jsonl")).size());
    assertEquals(3, Files.readAllLines(runs.resolve("heat-flux/metrics.jsonl")).size());
  }

  @Test
  void resumesWhereTheCheckpointWas() throws IOException {
    record(false, 1, 5, false);
    Files.writeString(
        folder().metrics(), "{\"epoch\":6,\"train_", java.nio.file.StandardOpenOption.APPEND);

    record(true, 4, 6, true);

    List<Integer> epochs = new ArrayList<>();
    for (String line : Files.readAllLines(folder().metrics())) {
      epochs.add(MAPPER.readTree(line).get("epoch").asInt());
    }
    assertEquals(List.of(1, 2, 3, 4, 5, 6), epochs);
    assertEquals(2, folder().contents().stream().filter(name -> name.startsWith("events")).count());
    assertFalse(Files.exists(runs.resolve("heat-flux.1")));
  }

  @Test
  void plotsTheEpochsBeforeAResume() {
    record(false, 1, 4, false);
    try (MetricsFile metrics = new MetricsFile(folder().metrics(), 3)) {
      metrics.append(RunSamples.epoch(3));
      assertEquals(
          List.of(
              new LossPoint(1, 1, 1.25),
              new LossPoint(2, 0.5, 0.625),
              new LossPoint(3, 1.0 / 3, 1.25 / 3)),
          metrics.losses());
    }
  }

  @Test
  void aRunThatFailsBeforeItBeginsDisplacesNothing() throws IOException {
    record(false, 1, 2, true);
    open(false).close();
    assertFalse(Files.exists(runs.resolve("heat-flux.1")));
    assertEquals(2, Files.readAllLines(folder().metrics()).size());
  }

  @Test
  void aRunToResumeThatIsNotThereBeginsAnew() throws IOException {
    record(true, 1, 2, true);
    assertEquals(2, Files.readAllLines(folder().metrics()).size());
  }

  @Test
  void refusesASecondRunInTheSameFolder() {
    try (TrainingListener first = open(false)) {
      first.on(new TrainingEvent.Started(RunSamples.start(1)));
      for (boolean resume : new boolean[] {false, true}) {
        RunFolderException e = assertThrows(RunFolderException.class, () -> open(resume));
        assertTrue(e.getMessage().contains("Another run is at work"), e.getMessage());
      }
    }
    open(true).close();
  }

  @Test
  void saysWhichFileCannotBeWritten() throws IOException {
    Files.writeString(runs.resolve("file"), "");
    RunFolder inFile = RunFolder.of(runs.resolve("file"), "heat-flux");
    RunFolderException e =
        assertThrows(RunFolderException.class, () -> recording(inFile, false).open());
    assertEquals(
        inFile.path()
            + " could not be written: "
            + runs.resolve("file")
            + " is a file, not a folder. Free disk space or check the folder's permissions.",
        e.getMessage());

    Files.createDirectories(runs.resolve("folder/config.yaml/in-the-way"));
    RunFolder blocked = new RunFolder(runs.resolve("folder"));
    e = assertThrows(RunFolderException.class, () -> recording(blocked, true).open());
    assertTrue(e.getMessage().contains("config.yaml could not be written"), e.getMessage());
    assertEquals(List.of("config.yaml/"), blocked.contents());
    Files.delete(runs.resolve("folder/config.yaml/in-the-way"));
    Files.delete(runs.resolve("folder/config.yaml"));
    recording(blocked, true).open().close();
  }

  @Test
  void leavesOutWhatTheConfigurationTurnsOff() {
    OutputConfig off = new OutputConfig("runs", false, false, OutputConfig.Progress.NONE);
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    try (TrainingListener recorder =
        new Recording(folder(), false, "", off, stream(printed), true, InstantSource.system())
            .open()) {
      recorder.on(new TrainingEvent.Started(RunSamples.start(1)));
      recorder.on(new TrainingEvent.EpochDone(RunSamples.epoch(1)));
      recorder.on(new TrainingEvent.Finished(RunSamples.summary(), RunSamples.predictions()));
    }
    assertEquals(List.of("config.yaml", "metrics.jsonl", "summary.json"), folder().contents());
    assertEquals(0, printed.size());
  }

  @Test
  void refusesNamesThatAreNotPlain() {
    for (String name : new String[] {"", " ", "..", ".hidden", "a/b", "a\\b"}) {
      assertThrows(IllegalArgumentException.class, () -> RunFolder.of(runs, name), name);
    }
  }

  private RunFolder folder() {
    return RunFolder.of(runs, "heat-flux");
  }

  private TrainingListener open(boolean resume) {
    return recording(folder(), resume).open();
  }

  private Recording recording(RunFolder folder, boolean resume) {
    return new Recording(
        folder,
        resume,
        "name: heat-flux\n",
        OutputConfig.defaults(),
        stream(new ByteArrayOutputStream()),
        false,
        InstantSource.fixed(Instant.EPOCH));
  }

  private void record(boolean resume, int firstEpoch, int lastEpoch, boolean finish) {
    try (TrainingListener recorder = open(resume)) {
      recorder.on(new TrainingEvent.Started(RunSamples.start(firstEpoch)));
      for (int epoch = firstEpoch; epoch <= lastEpoch; epoch++) {
        recorder.on(new TrainingEvent.StepDone(epoch, 1, 1, 0));
        recorder.on(new TrainingEvent.EpochDone(RunSamples.epoch(epoch)));
      }
      if (finish) {
        recorder.on(new TrainingEvent.Finished(RunSamples.summary(), RunSamples.predictions()));
      }
    }
  }

  static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }
}
