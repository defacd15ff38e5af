package dev.lockstep.comm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.files.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what a communicator did last for whoever looks into its failure: when an operation fails,
 * the last operations go to a file in {@code folder}, or, without one, the last few to the log.
 */
public final class FlightRecorder {
  private static final Logger LOG = LoggerFactory.getLogger(FlightRecorder.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LOGGED_OPERATIONS = 5;

  /** Tells the files of the communicators of one process apart. */
  private static final AtomicInteger FILES = new AtomicInteger();

  private final @Nullable Path folder;
  private final AtomicBoolean dumped = new AtomicBoolean();

  /**
   * @param folder made when it is needed; null to write no file
   */
  public FlightRecorder(@Nullable Path folder) {
    this.folder = folder;
  }

  /** For a communicator that was split from this one's. */
  public FlightRecorder another() {
    return new FlightRecorder(folder);
  }

  /** Dumps, once, unless the failure is one of closing or of arguments. Never throws. */
  public void failed(Communicator communicator, RuntimeException failure) {
    if (!(failure instanceof CommunicationException)
        || failure instanceof CommunicatorClosedException
        || !dumped.compareAndSet(false, true)) {
      return;
    }
    try {
      List<OperationRecord> operations = communicator.operations();
      if (folder == null) {
        log(communicator, operations);
      } else {
        Path file = write(folder, communicator, failure, operations);
        LOG.warn(
            "An operation of rank {} failed; its last {} operations are in {}.",
            communicator.rank(),
            operations.size(),
            file.toAbsolutePath());
      }
    } catch (IOException | RuntimeException e) {
      LOG.warn("The last operations of rank {} are lost: {}", communicator.rank(), e.toString());
    }
  }

  private static void log(Communicator communicator, List<OperationRecord> operations) {
    LOG.info(
        "The last operations of rank {} were {}.",
        communicator.rank(),
        operations.subList(Math.max(0, operations.size() - LOGGED_OPERATIONS), operations.size()));
  }

  private static Path write(
      Path folder,
      Communicator communicator,
      RuntimeException failure,
      List<OperationRecord> operations)
      throws IOException {
    Files.createDirectories(folder);
    String name =
        String.format(
            Locale.ROOT,
            "flight-recorder-rank-%d-%d-%d.jsonl",
            communicator.rank(),
            ProcessHandle.current().pid(),
            FILES.incrementAndGet());
    Path file = folder.resolve(name);
    DurableFiles.replace(file, text(communicator, failure, operations));
    return file;
  }

  /** A line about the failure, then one for each operation, oldest first. */
  private static String text(
      Communicator communicator, RuntimeException failure, List<OperationRecord> operations)
      throws JsonProcessingException {
    ObjectNode head = JSON.createObjectNode();
    head.put("rank", communicator.rank());
    head.put("size", communicator.size());
    head.put("backend", communicator.backend().name().toLowerCase(java.util.Locale.ROOT));
    head.put("time", Instant.now().toString());
    head.put("error", failure.getClass().getSimpleName());
    head.put("message", failure.getMessage());
    StringBuilder text = new StringBuilder(JSON.writeValueAsString(head)).append('\n');
    for (OperationRecord operation : operations) {
      text.append(JSON.writeValueAsString(operation)).append('\n');
    }
    return text.toString();
  }
}
