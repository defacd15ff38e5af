package dev.lockstep.monitor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.monitor.TrainingEvent.Validated;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** {@code metrics.jsonl}: a JSON object an epoch, on the disk's way as soon as the epoch ends. */
final class MetricsFile implements AutoCloseable {
  private static final JsonMapper MAPPER = new JsonMapper();

  private final Path path;
  private final FileChannel channel;
  private final List<LossPoint> losses = new ArrayList<>();

  /**
   * Opens the file for the epochs from {@code firstEpoch} on. Lines of those epochs, which a
   * resumed run takes again, and a last line that a killed process tore, are dropped.
   */
  MetricsFile(Path path, int firstEpoch) {
    this.path = path;
    try {
      List<String> kept = new ArrayList<>();
      if (Files.exists(path)) {
        for (String line :
            new String(Files.readAllBytes(path), StandardCharsets.UTF_8).split("\n", -1)) {
          keep(line, firstEpoch, kept);
        }
      }
      StringBuilder text = new StringBuilder();
      kept.forEach(line -> text.append(line).append('\n'));
      AtomicFile.replace(path, text.toString());
      channel = FileChannel.open(path, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw RunFolderException.writing(path, e);
    }
  }

  private void keep(String line, int firstEpoch, List<String> kept) {
    JsonNode json;
    try {
      json = MAPPER.readTree(line);
    } catch (JsonProcessingException torn) {
      return;
    }
    int epoch = json.path("epoch").asInt();
    if (epoch >= 1 && epoch < firstEpoch) {
      kept.add(line);
      if (!json.has("train_loss")) {
        return; // a validation within an epoch
      }
      losses.add(
          new LossPoint(
              epoch,
              json.path("train_loss").asDouble(Double.NaN),
              json.path("validation_loss").asDouble(Double.NaN)));
    }
  }

  void append(EpochRecord epoch) {
    losses.add(new LossPoint(epoch.epoch(), epoch.trainLoss(), epoch.validationLoss()));
    append(RecordJson.line(epoch));
  }

  void append(Validated validated) {
    append(RecordJson.line(validated));
  }

  private void append(String text) {
    ByteBuffer line = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    try {
      while (line.hasRemaining()) {
        channel.write(line);
      }
    } catch (IOException e) {
      throw RunFolderException.writing(path, e);
    }
  }

  /** The losses of every epoch so far, those before a resume included. */
  List<LossPoint> losses() {
    return List.copyOf(losses);
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw RunFolderException.writing(path, e);
    }
  }
}
