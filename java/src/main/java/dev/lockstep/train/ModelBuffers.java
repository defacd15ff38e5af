package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelTensor;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * A model's other tensors, batch statistics above all, kept equal on all ranks in flat buffers.
 *
 * <p>Each rank's forward pass moves them by what its own samples say; the ranks' moves are averaged
 * by their samples: value = start + Σ weight × (value − start). A buffer that no rank moved keeps
 * its bits, as averaging the values themselves would not guarantee; a rank without samples does not
 * pull. Integers (counters of batches) are rank 0's, which has samples whenever any rank has.
 *
 * <p>Not thread-safe.
 */
final class ModelBuffers implements AutoCloseable {
  private final List<ModelTensor> buffers;
  private final FlatLayout layout;
  private final FlatBuffers values;
  private final FlatBuffers starts;
  private final FlatBuffers moves;
  private final Communicator communicator;
  private final List<Work> pending = new ArrayList<>();

  ModelBuffers(Model model, Communicator communicator) {
    this.communicator = communicator;
    buffers = model.buffers();
    layout = FlatLayout.of(buffers);
    values = new FlatBuffers(layout, communicator::allocate);
    starts = new FlatBuffers(layout, communicator::allocate);
    moves = new FlatBuffers(layout, communicator::allocate);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < buffers.size(); i++) {
        Tensor view = values.view(layout.slots().get(i));
        view.copy_(buffers.get(i).tensor());
        buffers.get(i).moveTo(view);
      }
    }
    remember();
  }

  FlatBuffers values() {
    return values;
  }

  /** Takes the present values, equal on all ranks, as where the next moves begin. */
  void remember() {
    for (int i = 0; i < layout.groups().size(); i++) {
      NativeView.copy(starts.address(i), values.address(i), layout.groups().get(i).bytes());
    }
  }

  /**
   * Begins to merge what the ranks have moved since {@link #remember}.
   *
   * @param weight this rank's; all ranks' add up to 1
   */
  void startMerge(double weight) {
    if (communicator.size() == 1 || buffers.isEmpty()) {
      return;
    }
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < layout.groups().size(); i++) {
        if (layout.groups().get(i).isFloating()) {
          moves.whole(i).copy_(values.whole(i)).sub_(starts.whole(i)).mul_(new Scalar(weight));
          pending.add(communicator.allReduceAsync(moves.span(i), ReduceOp.SUM));
        } else {
          pending.add(communicator.broadcastAsync(values.span(i), 0));
        }
      }
    }
  }

  /** Ends the merge; the values are then equal on all ranks, and remembered. */
  void finishMerge() {
    if (pending.isEmpty()) {
      return;
    }
    pending.forEach(Work::await);
    pending.clear();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < layout.groups().size(); i++) {
        if (layout.groups().get(i).isFloating()) {
          values.whole(i).copy_(starts.whole(i)).add_(moves.whole(i));
        }
      }
    }
    remember();
  }

  @Override
  public void close() {
    Works.settle(pending);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (ModelTensor buffer : buffers) {
        buffer.moveTo(buffer.tensor().detach().clone());
      }
    }
    values.close();
    starts.close();
    moves.close();
  }
}
