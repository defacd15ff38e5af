package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.comm.Communicator;
import dev.lockstep.torch.TorchLibraries;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A run in a host application leaves libtorch as it found it. */
@Timeout(120)
class GuestTest {
  @TempDir Path folder;

  private static double random() {
    try (PointerScope scope = new PointerScope()) {
      return torch.rand(1).item_double();
    }
  }

  @Test
  void generatorThreadsAndExecutionAreTheHostsAgainAfterARun() {
    TorchLibraries.load();
    torch.setGraphExecutorOptimize(true);
    torch.set_num_threads(3);
    torch.manual_seed(41);
    random();
    double expected = random();
    torch.manual_seed(41);
    random();
    try (Communicator alone = Communicator.single()) {
      Runs.train(Runs.Plan.of(1, Runs.ADAM), ArrayDataset.smooth(100), alone, folder, false);
    }
    assertEquals(expected, random(), "the host's own sequence goes on");
    assertEquals(3, torch.get_num_threads());
    assertEquals(true, torch.getGraphExecutorOptimize());
  }
}
