// The service itself, with tasks of the benchmark: the example has none with steps, and none that enqueues many.
import './feature.ts'
import '../../../src/main.ts'
