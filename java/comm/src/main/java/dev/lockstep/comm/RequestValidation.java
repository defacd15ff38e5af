package dev.lockstep.comm;

import dev.lockstep.jni.Native;

/**
 * The checks that native code makes of every request, for backends that are not ours: ranks, tags
 * and overlaps. {@link Requests} has checked the lengths.
 */
public record RequestValidation(int rank, int size) {
  private static final int LARGEST_TAG = 32_767;

  /**
   * Refuses what the backend must not see.
   *
   * @throws IllegalArgumentException naming the operation and the rank
   */
  public void check(Request request) {
    switch (request.operation()) {
      case Native.SEND, Native.RECEIVE -> checkPeer(request);
      case Native.BROADCAST -> checkRoot(request);
      case Native.SCATTER, Native.GATHER -> {
        checkRoot(request);
        checkApart(request, request.rootOrPeer() == rank, false);
      }
      case Native.REDUCE -> {
        checkRoot(request);
        checkApart(request, request.rootOrPeer() == rank, true);
      }
      case Native.ALL_REDUCE -> checkApart(request, true, true);
      default -> checkApart(request, true, false);
    }
  }

  private void checkRoot(Request request) {
    int root = request.rootOrPeer();
    if (root < 0 || root >= size) {
      throw refusal(request, "names root " + root + groupText());
    }
  }

  private void checkPeer(Request request) {
    int peer = request.rootOrPeer();
    boolean any = request.operation() == Native.RECEIVE && peer == Communicator.ANY_RANK;
    if (!any && (peer < 0 || peer >= size)) {
      throw refusal(request, "names peer " + peer + groupText());
    }
    if (peer == rank || size == 1) {
      throw refusal(request, "names itself as the peer; copy the data instead");
    }
    if (request.tag() < 0 || request.tag() > LARGEST_TAG) {
      throw refusal(request, "has tag " + request.tag() + "; tags go from 0 to " + LARGEST_TAG);
    }
  }

  private void checkApart(Request request, boolean bothUsed, boolean mayBeSame) {
    Span input = request.input();
    Span output = request.output();
    if (!bothUsed || input.count() == 0 || output.count() == 0) {
      return;
    }
    boolean same = input.address() == output.address();
    boolean overlap =
        input.address() < output.address() + output.count() * output.type().bytes()
            && output.address() < input.address() + input.count() * input.type().bytes();
    if (overlap && !(same && mayBeSame)) {
      throw refusal(request, "has an input and an output that overlap");
    }
  }

  private String groupText() {
    return ", but the group has ranks 0 to " + (size - 1);
  }

  private IllegalArgumentException refusal(Request request, String why) {
    return new IllegalArgumentException(
        "The " + Operation.of(request.operation()) + " on rank " + rank + " " + why + ".");
  }
}
