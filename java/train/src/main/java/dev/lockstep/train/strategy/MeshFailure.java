package dev.lockstep.train.strategy;

import dev.lockstep.LockstepException;
import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.PeerFailedException;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** A failure of communication along an axis of a mesh, told by what is missing. */
public final class MeshFailure {
  private MeshFailure() {}

  /**
   * Names the rank that failed, and what it has of the model.
   *
   * @param failure of a message or a collective of some of the mesh's ranks
   * @param worldRank of the rank that the failure tells of
   * @param description of a rank, for example "Rank 1, which has slice 1 of 2"
   */
  public static CommunicationException named(
      CommunicationException failure, int worldRank, Mesh mesh, IntFunction<String> description) {
    if (failure instanceof CollectiveTimeoutException) {
      String message = description.apply(worldRank) + ", does not answer: " + text(failure);
      return new CollectiveTimeoutException(message, worldRank, failure);
    }
    if (!(failure instanceof PeerFailedException)) {
      return failure;
    }
    PeerFailedException first = firstOfAll(mesh.world());
    int rank = first == null || first.rank() < 0 ? worldRank : first.rank();
    String message =
        description.apply(rank) + ", is gone: " + text(first == null ? failure : first);
    return new PeerFailedException(message, rank, failure);
  }

  private static String text(CommunicationException failure) {
    return LockstepException.messageOf(failure);
  }

  /**
   * A rank that is gone may have left because of another one, of this copy of the model or of
   * another: a collective of all ranks tells of the first, on all ranks.
   */
  private static @Nullable PeerFailedException firstOfAll(Communicator world) {
    try {
      world.barrier();
    } catch (PeerFailedException told) {
      return told;
    } catch (CommunicationException other) {
      return null;
    }
    return null;
  }
}
