package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.lang.ref.Reference;
import java.nio.LongBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One operation as {@code run()} and {@code start()} of {@code lockstep/communicator.h} take it.
 *
 * @param counts elements of each rank where they differ, in a direct buffer
 */
public record Request(
    int operation,
    ReduceOp op,
    int rootOrPeer,
    int tag,
    Span input,
    Span output,
    long count,
    @Nullable LongBuffer counts) {

  /** Of an operation whose ranks all pass the same length. */
  static Request of(int operation, int rootOrPeer, Span input, Span output, long count) {
    return new Request(operation, ReduceOp.SUM, rootOrPeer, 0, input, output, count, null);
  }

  Request reducing(ReduceOp how) {
    return new Request(operation, how, rootOrPeer, tag, input, output, count, counts);
  }

  Request tagged(int number) {
    return new Request(operation, op, rootOrPeer, number, input, output, count, counts);
  }

  Request uneven(LongBuffer countsOfRanks) {
    return new Request(operation, op, rootOrPeer, tag, input, output, count, countsOfRanks);
  }

  /** Runs it. @return for a receive the rank that sent, otherwise 0 */
  int run(NativeCommunicator communicator) {
    boolean isInPlace = input == output;
    input.enter();
    if (!isInPlace) {
      try {
        output.enter();
      } catch (RuntimeException e) {
        input.exit();
        throw e;
      }
    }
    try {
      return Native.run(
          communicator.handle(),
          operation,
          type(),
          op.code(),
          rootOrPeer,
          tag,
          input.address(),
          output.address(),
          count,
          countsAddress());
    } catch (RuntimeException e) {
      throw communicator.failed(e);
    } finally {
      if (!isInPlace) {
        output.exit();
      }
      input.exit();
      Reference.reachabilityFence(this);
    }
  }

  /** Queues it. */
  Work start(NativeCommunicator communicator) {
    Runnable release = hold();
    long handle;
    try {
      handle =
          Native.start(
              communicator.handle(),
              operation,
              type(),
              op.code(),
              rootOrPeer,
              tag,
              input.address(),
              output.address(),
              count,
              countsAddress());
    } catch (RuntimeException e) {
      release.run();
      throw NativeErrors.translate(e);
    }
    NativeWork work =
        new NativeWork(
            communicator,
            NativeWorkKind.COLLECTIVE,
            "collective",
            CommunicationException.NO_RANK,
            handle,
            release);
    communicator.works().add(work);
    return work;
  }

  /** Keeps all that native code is given in place until the returned action has run. */
  public Runnable hold() {
    Runnable releaseInput = input.hold();
    try {
      Runnable releaseOutput = output.hold();
      return () -> {
        releaseInput.run();
        releaseOutput.run();
        Reference.reachabilityFence(this);
      };
    } catch (RuntimeException e) {
      releaseInput.run();
      throw e;
    }
  }

  /**
   * The code of the elements' type. Ranks without a buffer on one side pass an empty span there,
   * whose type says nothing.
   */
  public int type() {
    boolean outputDecides = operation == Native.RECEIVE || operation == Native.SCATTER;
    return (outputDecides ? output : input).type().code;
  }

  private long countsAddress() {
    return counts == null ? 0 : Span.of(counts).address();
  }
}
