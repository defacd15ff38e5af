package dev.lockstep.train;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * What a run changes in libtorch for the whole process: the default generator of random numbers,
 * the sizes of two thread pools, and how TorchScript is executed. The first run that begins
 * remembers what the host application had, and the last that ends sets it back. Thread-safe.
 */
public final class TorchSettings implements AutoCloseable {
  private static int runs;
  private static @Nullable TorchSettings ofHost;

  private final int torchThreads;
  private final int blasThreads;
  private final boolean optimizesGraphs;
  private final Tensor generatorState;

  private TorchSettings() {
    torchThreads = torch.get_num_threads();
    blasThreads = openblas.blas_get_num_threads();
    optimizesGraphs = torch.getGraphExecutorOptimize();
    try (PointerScope scope = new PointerScope();
        Generator generator = torch.getDefaultCPUGenerator()) {
      generatorState = generator.get_state();
      generatorState.retainReference();
    }
  }

  /** A run begins in this process. */
  public static synchronized TorchSettings keep() {
    TorchSettings settings = ofHost;
    if (settings == null) {
      settings = new TorchSettings();
      ofHost = settings;
    }
    runs++;
    return settings;
  }

  @Override
  public void close() {
    synchronized (TorchSettings.class) {
      runs--;
      if (runs > 0) {
        return;
      }
      ofHost = null;
      torch.set_num_threads(torchThreads);
      openblas.blas_set_num_threads(blasThreads);
      torch.setGraphExecutorOptimize(optimizesGraphs);
      try (PointerScope scope = new PointerScope();
          Generator generator = torch.getDefaultCPUGenerator()) {
        generator.set_state(generatorState);
      }
      generatorState.close();
    }
  }
}
