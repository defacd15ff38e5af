package dev.lockstep.train;

import static java.util.Objects.requireNonNull;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.Placement;
import dev.lockstep.checkpoint.StoredTensor;
import dev.lockstep.checkpoint.TensorSlice;
import dev.lockstep.checkpoint.TensorType;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.engine.TrainingState.Entry;
import dev.lockstep.train.memory.NativeView;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Puts a checkpoint's tensors back where the run's parts keep them. Rank 0 has read it and sends
 * the others what is theirs, whatever their number was when it was saved.
 */
final class StateRestore {
  /** What is sent at once. */
  private static final int PIECE = 16 << 20;

  private final TrainingState state;
  private final Communicator communicator;

  StateRestore(TrainingState state, Communicator communicator) {
    this.state = state;
    this.communicator = communicator;
  }

  /**
   * What keeps a checkpoint's tensors from being this run's.
   *
   * @param strategies how both runs' strategies differ; empty if they do not
   */
  Optional<String> reasonToRefuse(Checkpoint checkpoint, String strategies) {
    Map<String, String> stored = new HashMap<>();
    Map<String, StoredTensor> once = new HashMap<>();
    checkpoint.tensors().forEach(tensor -> once.put(tensor.name(), tensor));
    once.forEach((name, tensor) -> stored.put(name, describe(tensor)));
    checkpoint
        .perRank()
        .forEach((name, tensors) -> stored.put(name, "each rank's " + describe(tensors.get(0))));
    for (Entry entry : state.entries()) {
      String found = stored.remove(entry.name());
      String wanted = describe(entry);
      if (!wanted.equals(found) && !isRecut(entry, once.get(entry.name()))) {
        return Optional.of(
            cause(entry.name(), strategies)
                + ": this run has a tensor "
                + entry.name()
                + ", "
                + wanted
                + ", where it has "
                + (found == null ? "none" : found));
      }
    }
    return new TreeSet<>(stored.keySet())
        .stream()
            .findFirst()
            .map(
                name ->
                    cause(name, strategies)
                        + ": it has a tensor "
                        + name
                        + " that this run has not");
  }

  /** Whose tensor that is. */
  private static String cause(String tensor, String strategies) {
    boolean ofStrategy =
        Stream.of("model.", "buffer.", "optimizer.", "best.").noneMatch(tensor::startsWith);
    return ofStrategy && !strategies.isEmpty()
        ? "it was made with " + strategies + ", and ranks keep other state with each"
        : "it is of another model or optimiser";
  }

  /** Whether one of both was saved in parts, which have no shape, and is otherwise the same. */
  private static boolean isRecut(Entry entry, @Nullable StoredTensor stored) {
    if (stored == null || stored.type() != entry.type()) {
      return false;
    }
    if (entry.placement() instanceof Placement.Sharded sharded) {
      return elements(stored.shape()) == sharded.total();
    }
    if (entry.placement() instanceof Placement.Sliced sliced) {
      return stored.shape().size() == 1
          && elements(stored.shape()) == sliced.slice().wholeElements();
    }
    return (entry.placement() instanceof Placement.Replicated
            || entry.placement() instanceof Placement.Held)
        && stored.shape().size() == 1
        && elements(stored.shape()) == elements(entry.shape());
  }

  private static long elements(List<Long> shape) {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }

  private static String describe(StoredTensor tensor) {
    return tensor.type() + " " + tensor.shape();
  }

  private static String describe(Entry entry) {
    if (entry.placement() instanceof Placement.Sharded sharded) {
      return entry.type() + " " + List.of(sharded.total());
    }
    if (entry.placement() instanceof Placement.Sliced sliced) {
      return entry.type() + " " + sliced.shape();
    }
    String own = entry.type() + " " + entry.shape();
    return entry.placement() instanceof Placement.PerRank ? "each rank's " + own : own;
  }

  /**
   * Restores everything; collective.
   *
   * @param checkpoint on rank 0, what it has read and not refused; null on the others
   */
  void restore(@Nullable Checkpoint checkpoint) {
    for (Entry entry : state.entries()) {
      if (entry.placement() instanceof Placement.Sharded sharded) {
        long bytes = sharded.total() * entry.type().bytes();
        long from = sharded.from() * entry.type().bytes();
        send(checkpoint == null ? null : checkpoint.tensor(entry.name()), bytes, entry, from);
      } else if (entry.placement() instanceof Placement.Sliced sliced) {
        StoredTensor whole = checkpoint == null ? null : checkpoint.tensor(entry.name());
        sendSlice(whole, entry, sliced.slice());
      } else if (entry.placement() instanceof Placement.PerRank perRank) {
        restorePerRank(checkpoint, entry, perRank.rule());
      } else if (entry.placement() instanceof Placement.Held) {
        send(
            checkpoint == null ? null : checkpoint.tensor(entry.name()),
            entry.bytes(),
            entry,
            entry.address() == 0 ? Long.MAX_VALUE : 0);
      } else if (checkpoint != null) {
        copy(checkpoint.tensor(entry.name()), 0, entry.address(), entry.bytes());
      }
    }
    state.broadcast(communicator);
  }

  private void restorePerRank(@Nullable Checkpoint checkpoint, Entry entry, Placement.Resize rule) {
    List<StoredTensor> saved =
        checkpoint == null
            ? List.of()
            : requireNonNull(checkpoint.perRank().get(entry.name()), entry.name());
    int ranks = communicator.allReduce(new int[] {saved.size()}, ReduceOp.MAX)[0];
    if (ranks != communicator.size()) {
      StoredTensor made = checkpoint == null ? null : resized(saved, rule, communicator.size());
      send(made, entry.bytes(), entry, 0);
      return;
    }
    for (int rank = 0; rank < ranks; rank++) {
      boolean own = rank == communicator.rank();
      send(
          checkpoint == null ? null : saved.get(rank),
          entry.bytes(),
          entry,
          own ? 0 : Long.MAX_VALUE);
    }
  }

  /**
   * Sends a tensor of rank 0's to all, of which each keeps a part.
   *
   * @param bytes of the tensor
   * @param from the first byte that this rank keeps; it keeps as many as the entry has
   */
  private void send(@Nullable StoredTensor tensor, long bytes, Entry entry, long from) {
    send(
        tensor,
        bytes,
        (address, at, count) -> keep(address, at, count, from, entry.bytes(), entry.address()));
  }

  /** Sends a tensor of rank 0's to all, of which each keeps the runs of its slice. */
  private void sendSlice(@Nullable StoredTensor tensor, Entry entry, TensorSlice slice) {
    int bytes = entry.type().bytes();
    long run = slice.run() * bytes;
    long stride = slice.length() * slice.inner() * bytes;
    send(
        tensor,
        slice.wholeElements() * bytes,
        (address, at, count) -> {
          // Of the runs alone that may lie in this piece.
          long last = Math.min(slice.outer() - 1, (at + count - 1) / stride);
          for (long i = at / stride; i <= last; i++) {
            long from = slice.wholeOffset(i) * bytes;
            keep(address, at, count, from, run, entry.address() + i * run);
          }
        });
  }

  /** Takes a piece of a tensor that has come. */
  private interface Piece {
    /**
     * @param at the piece's first byte in the tensor
     * @param count its bytes
     */
    void take(long address, long at, long count);
  }

  private void send(@Nullable StoredTensor tensor, long bytes, Piece piece) {
    try (NativeMemory buffer = NativeMemory.allocate(Math.min(PIECE, Math.max(1, bytes)))) {
      for (long at = 0; at < bytes; at += PIECE) {
        long count = Math.min(PIECE, bytes - at);
        if (tensor != null) {
          copy(tensor, at, buffer.address(), count);
        }
        communicator.broadcast(buffer.span(0, count, DataType.U8), 0);
        piece.take(buffer.address(), at, count);
      }
    }
  }

  /** Copies what a piece has of the bytes from one on, so many, to an address. */
  private static void keep(long piece, long at, long count, long from, long bytes, long address) {
    long first = Math.max(at, from);
    long end = Math.min(at + count, saturatedSum(from, bytes));
    if (first < end) {
      NativeView.copy(address + first - from, piece + first - at, end - first);
    }
  }

  private static long saturatedSum(long a, long b) {
    return a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b;
  }

  /** Copies bytes of a tensor, from one on, to an address. */
  private static void copy(StoredTensor tensor, long from, long address, long count) {
    long begin = 0;
    for (ByteBuffer piece : tensor.pieces()) {
      long end = begin + piece.remaining();
      long first = Math.max(begin, from);
      long last = Math.min(end, from + count);
      if (first < last) {
        piece.position(piece.position() + (int) (first - begin));
        piece.limit(piece.position() + (int) (last - first));
        NativeView.bytes(address + first - from, last - first).put(piece);
      }
      begin = end;
    }
  }

  /** What each of so many ranks gets of what other numbers of ranks had. */
  private static StoredTensor resized(List<StoredTensor> saved, Placement.Resize rule, int ranks) {
    StoredTensor first = saved.get(0);
    if (rule == Placement.Resize.FIRST) {
      return first;
    }
    List<ByteBuffer> pieces = new ArrayList<>();
    for (int p = 0; p < first.pieces().size(); p++) {
      ByteBuffer out =
          ByteBuffer.allocateDirect(first.pieces().get(p).remaining())
              .order(ByteOrder.LITTLE_ENDIAN);
      int piece = p;
      List<ByteBuffer> in = saved.stream().map(tensor -> tensor.pieces().get(piece)).toList();
      for (int at = 0; at < out.capacity(); at += first.type().bytes()) {
        put(out, at, first.type(), combined(in, at, first.type(), rule, ranks));
      }
      pieces.add(out);
    }
    return new StoredTensor(first.name(), first.type(), first.shape(), pieces);
  }

  private static double combined(
      List<ByteBuffer> in, int at, TensorType type, Placement.Resize rule, int ranks) {
    double result = rule == Placement.Resize.MINIMUM ? Double.POSITIVE_INFINITY : 0;
    for (ByteBuffer buffer : in) {
      double value = get(buffer, at, type);
      result = rule == Placement.Resize.MINIMUM ? Math.min(result, value) : result + value;
    }
    return switch (rule) {
      case MINIMUM -> result;
      case MEAN -> result / in.size();
      default -> result / ranks;
    };
  }

  private static double get(ByteBuffer buffer, int at, TensorType type) {
    return switch (type) {
      case F32 -> buffer.getFloat(buffer.position() + at);
      case F64 -> buffer.getDouble(buffer.position() + at);
      case I64 -> buffer.getLong(buffer.position() + at);
      default -> throw cannotResize(type);
    };
  }

  private static void put(ByteBuffer buffer, int at, TensorType type, double value) {
    switch (type) {
      case F32 -> buffer.putFloat(at, (float) value);
      case F64 -> buffer.putDouble(at, value);
      case I64 -> buffer.putLong(at, (long) value);
      default -> throw cannotResize(type);
    }
  }

  private static TrainingException cannotResize(TensorType type) {
    return new TrainingException(
        "State of type "
            + type
            + " that each rank has of its own cannot be given to another number of ranks; resume"
            + " with as many as saved it.");
  }
}
