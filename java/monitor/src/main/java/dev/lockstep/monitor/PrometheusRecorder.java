package dev.lockstep.monitor;

import dev.lockstep.comm.CommunicationStats;
import dev.lockstep.monitor.TrainingEvent.EpochDone;
import dev.lockstep.monitor.TrainingEvent.Finished;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * Keeps this rank's communication counters in a file in Prometheus's text format, for node
 * exporter's textfile collector; it is replaced after each epoch.
 */
public final class PrometheusRecorder implements TrainingListener {
  private final Path file;
  private final Supplier<CommunicationStats> stats;
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final CommunicationMetrics metrics = new CommunicationMetrics(registry);

  /**
   * Writes nothing yet.
   *
   * @param file in a folder that is there, by a name that ends in {@code .prom}
   * @param stats asked after each epoch
   */
  public PrometheusRecorder(Path file, Supplier<CommunicationStats> stats) {
    this.file = file;
    this.stats = stats;
  }

  @Override
  public void on(TrainingEvent event) {
    if (event instanceof EpochDone || event instanceof Finished) {
      write();
    }
  }

  private void write() {
    metrics.update(stats.get());
    AtomicFile.replace(file, registry.scrape());
  }

  @Override
  public void close() {
    registry.close();
  }
}
