package dev.lockstep.comm.profile;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.OperationRecord;
import dev.lockstep.files.DurableFiles;
import dev.lockstep.jni.Native;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Records every operation of a communicator on every rank, and puts all of them into one file in
 * Chrome's trace format, for Perfetto ({@code ui.perfetto.dev}) or {@code chrome://tracing}: a
 * process for each rank, times aligned to rank 0's clock. Not thread-safe.
 *
 * <pre>{@code
 * Timeline timeline = Timeline.start(ranks, Timeline.DEFAULT_OPERATIONS);
 * …                                              // operations
 * timeline.write(Path.of("timeline.json"));      // all ranks
 * }</pre>
 */
public final class Timeline {
  /** 8 MiB of memory on each rank. */
  public static final int DEFAULT_OPERATIONS = 1 << 17;

  private final Communicator communicator;
  private final ClockOffsets first;
  private final long firstNumber;

  private Timeline(Communicator communicator, ClockOffsets first, long firstNumber) {
    this.communicator = communicator;
    this.first = first;
    this.firstNumber = firstNumber;
  }

  /**
   * Compares the clocks and records from here on; collective.
   *
   * @param operations most operations that are kept, the last ones: from 1 to 4,194,304
   */
  public static Timeline start(Communicator communicator, int operations) {
    ClockOffsets first = ClockOffsets.measure(communicator, Native::read_clock);
    List<OperationRecord> before = communicator.operations();
    communicator.recordOperations(operations);
    return new Timeline(
        communicator, first, before.isEmpty() ? 1 : before.get(before.size() - 1).number() + 1);
  }

  /**
   * Gathers the records and writes the file on rank 0, in one step; collective. No other thread may
   * use the communicator meanwhile.
   *
   * @param file replaced if it is there; rank 0's is used
   * @throws UncheckedIOException on rank 0, if it cannot be written
   */
  public void write(Path file) {
    List<OperationRecord> own =
        communicator.operations().stream()
            .filter(record -> record.number() >= firstNumber)
            .filter(record -> record.state() != OperationRecord.State.RUNNING)
            .toList();
    ClockOffsets last = ClockOffsets.measure(communicator, Native::read_clock);
    List<OperationRecord[]> all =
        GatheredJson.gather(
            communicator, own.toArray(OperationRecord[]::new), OperationRecord[].class);
    if (communicator.rank() != 0) {
      return;
    }
    List<List<OperationRecord>> aligned = new ArrayList<>();
    for (int rank = 0; rank < all.size(); rank++) {
      int source = rank;
      aligned.add(Arrays.stream(all.get(rank)).map(record -> align(last, source, record)).toList());
    }
    replace(file, TraceFormat.document(communicator.backend().name(), aligned));
  }

  private OperationRecord align(ClockOffsets last, int rank, OperationRecord record) {
    return new OperationRecord(
        record.number(),
        record.operation(),
        record.type(),
        record.op(),
        record.rootOrPeer(),
        record.count(),
        record.bytes(),
        record.algorithm(),
        record.state(),
        ClockOffsets.onRankZero(first, last, rank, record.submittedNanos()),
        ClockOffsets.onRankZero(first, last, rank, record.beganNanos()),
        ClockOffsets.onRankZero(first, last, rank, record.endedNanos()));
  }

  private static void replace(Path file, byte[] content) {
    Path whole = file.toAbsolutePath();
    try {
      if (whole.getParent() != null) {
        Files.createDirectories(whole.getParent());
      }
      DurableFiles.replace(whole, content);
    } catch (IOException e) {
      throw new UncheckedIOException("The timeline " + file + " cannot be written.", e);
    }
  }
}
