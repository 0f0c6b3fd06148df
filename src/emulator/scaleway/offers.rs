//! The server types that are sold, and where: facts and prices as of summer 2026.
//!
//! Rows stand in the order in which images list the types they fit. What is known of `fr-par-1` holds for the other
//! zones too, but for the families that are known to be missing somewhere. The figures of the GPU types that `fr-par-1`
//! lacks are published ones where they were known (processors, memory, price of the smallest) and estimates elsewhere.

use super::catalogue::ZONES;
use super::types::{ARM, COMMON, Family, ServerType, also, family, gpu, local, monthly, plain, scratch};

/// All zones but `fr-par-2`, which does not sell the oldest types.
const NOT_PAR_2: [&str; ZONES.len() - 1] =
    ["fr-par-1", "fr-par-3", "nl-ams-1", "nl-ams-2", "nl-ams-3", "pl-waw-1", "pl-waw-2", "pl-waw-3", "it-mil-1"];

/// All families, in the order of image lists; those with graphics cards last.
pub(super) static FAMILIES: [&[ServerType]; 27] = [
    &DEV1, &GP1, &STARDUST1, &START1, &VC1, &X64, &ENT1, &PRO2, &PLAY2, &POP2, &POP2_HM, &POP2_HC, &POP2_HN, &POP2_WIN, &BASIC3,
    &STANDARD3, &MEMORY3, &COMPUTE3, &COPARM1, &BASIC2, &STANDARD2, &RENDER, &L4, &L40S, &H100, &H100_SXM, &B300_SXM,
];

/// Development.
const DEV1: [ServerType; 4] = family(
    COMMON,
    [
        local(plain("DEV1-L", (4, 8), 0.04284, (400, 200), 0), 80),
        local(plain("DEV1-M", (3, 4), 0.020196, (300, 150), 0), 40),
        local(plain("DEV1-S", (2, 2), 0.008976, (200, 100), 0), 20),
        local(plain("DEV1-XL", (4, 12), 0.065076, (500, 250), 0), 120),
    ],
);

/// General purpose, with local disks.
const GP1: [ServerType; 5] = family(
    COMMON,
    [
        local(plain("GP1-L", (32, 128), 0.77418, (5000, 1024), 0), 600),
        local(plain("GP1-M", (16, 64), 0.38352, (1500, 800), 0), 600),
        local(plain("GP1-S", (8, 32), 0.19074, (800, 500), 0), 300),
        local(plain("GP1-XL", (48, 256), 1.67382, (10000, 2048), 0), 600),
        local(plain("GP1-XS", (4, 16), 0.09282, (500, 300), 0), 150),
    ],
);

/// The smallest.
const STARDUST1: [ServerType; 1] =
    family(Family { zones: &NOT_PAR_2, ..COMMON }, [local(plain("STARDUST1-S", (1, 1), 0.0006, (100, 50), 0), 10)]);

/// Gone from sale.
const START1: [ServerType; 4] = family(
    Family { end_of_service: true, zones: &NOT_PAR_2, ..COMMON },
    [
        local(plain("START1-L", (8, 8), 0.0368, (400, 40), 0), 200),
        local(plain("START1-M", (4, 4), 0.0194, (300, 40), 0), 100),
        local(plain("START1-S", (2, 2), 0.0106, (200, 40), 0), 50),
        local(plain("START1-XS", (1, 1), 0.0062, (100, 40), 0), 25),
    ],
);

/// Gone from sale.
const VC1: [ServerType; 3] = family(
    Family { end_of_service: true, zones: &NOT_PAR_2, ..COMMON },
    [
        also(local(plain("VC1L", (6, 8), 0.02468, (200, 40), 0), 200), &["X64-8GB"]),
        also(local(plain("VC1M", (4, 4), 0.01555, (200, 40), 0), 100), &["X64-4GB"]),
        also(local(plain("VC1S", (2, 2), 0.00862, (200, 40), 0), 50), &["X64-2GB"]),
    ],
);

/// Gone from sale.
const X64: [ServerType; 4] = family(
    Family { end_of_service: true, zones: &NOT_PAR_2, ..COMMON },
    [
        local(plain("X64-120GB", (12, 120), 0.42574, (1000, 40), 0), 800),
        local(plain("X64-15GB", (6, 15), 0.06032, (250, 40), 0), 200),
        local(plain("X64-30GB", (8, 30), 0.11906, (500, 40), 0), 400),
        local(plain("X64-60GB", (10, 60), 0.213, (1000, 40), 0), 700),
    ],
);

/// Gone from sale.
const ENT1: [ServerType; 7] = family(
    Family { end_of_service: true, ..COMMON },
    [
        plain("ENT1-XXS", (2, 8), 0.0735, (400, 400), 0),
        plain("ENT1-XS", (4, 16), 0.147, (800, 800), 0),
        plain("ENT1-S", (8, 32), 0.29, (1600, 1600), 0),
        plain("ENT1-M", (16, 64), 0.59, (3200, 3200), 0),
        plain("ENT1-L", (32, 128), 1.18, (6400, 5632), 0),
        plain("ENT1-XL", (64, 256), 2.35, (12800, 5632), 0),
        plain("ENT1-2XL", (96, 384), 3.53, (20000, 20480), 0),
    ],
);

/// Production.
const PRO2: [ServerType; 5] = family(
    COMMON,
    [
        plain("PRO2-XXS", (2, 8), 0.0561, (350, 125), 0),
        plain("PRO2-XS", (4, 16), 0.1122, (700, 250), 0),
        plain("PRO2-S", (8, 32), 0.22338, (1500, 500), 0),
        plain("PRO2-M", (16, 64), 0.44676, (3000, 1000), 0),
        plain("PRO2-L", (32, 128), 0.89454, (6000, 2000), 0),
    ],
);

/// Learning.
const PLAY2: [ServerType; 3] = family(
    COMMON,
    [
        plain("PLAY2-MICRO", (4, 8), 0.05508, (400, 160), 0),
        plain("PLAY2-NANO", (2, 4), 0.02754, (200, 80), 0),
        plain("PLAY2-PICO", (1, 2), 0.01428, (100, 40), 0),
    ],
);

/// Production, dedicated processors.
const POP2: [ServerType; 10] = family(
    COMMON,
    [
        plain("POP2-2C-8G", (2, 8), 0.0735, (400, 400), 1),
        plain("POP2-4C-16G", (4, 16), 0.147, (800, 800), 1),
        plain("POP2-8C-32G", (8, 32), 0.29, (1600, 1600), 2),
        plain("POP2-16C-64G", (16, 64), 0.59, (3200, 3200), 4),
        plain("POP2-32C-128G", (32, 128), 1.18, (6400, 5632), 8),
        plain("POP2-48C-192G", (48, 192), 1.77, (9600, 5632), 12),
        plain("POP2-64C-256G", (64, 256), 2.35, (12800, 5632), 16),
        monthly(plain("POP2-6C-24G", (6, 24), 0.225, (1200, 1200), 1), 160.965),
        plain("POP2-12C-48G", (12, 48), 0.435, (2400, 2400), 3),
        monthly(plain("POP2-24C-96G", (24, 96), 0.885, (4800, 3200), 6), 643.05),
    ],
);

/// The same with more memory.
const POP2_HM: [ServerType; 10] = family(
    COMMON,
    [
        plain("POP2-HM-2C-16G", (2, 16), 0.103, (400, 400), 2),
        plain("POP2-HM-4C-32G", (4, 32), 0.206, (800, 800), 1),
        plain("POP2-HM-8C-64G", (8, 64), 0.412, (1600, 1600), 2),
        plain("POP2-HM-16C-128G", (16, 128), 0.824, (3200, 3200), 4),
        plain("POP2-HM-32C-256G", (32, 256), 1.648, (6400, 5632), 8),
        plain("POP2-HM-48C-384G", (48, 384), 2.47, (9600, 5632), 12),
        plain("POP2-HM-64C-512G", (64, 512), 3.296, (12800, 5632), 16),
        plain("POP2-HM-6C-48G", (6, 48), 0.309, (1200, 1200), 1),
        plain("POP2-HM-12C-96G", (12, 96), 0.618, (2400, 2400), 3),
        plain("POP2-HM-24C-192G", (24, 192), 1.236, (4800, 3200), 6),
    ],
);

/// The same with less memory.
const POP2_HC: [ServerType; 10] = family(
    COMMON,
    [
        plain("POP2-HC-2C-4G", (2, 4), 0.0532, (400, 400), 1),
        plain("POP2-HC-4C-8G", (4, 8), 0.1064, (800, 800), 1),
        plain("POP2-HC-8C-16G", (8, 16), 0.2128, (1600, 1600), 2),
        plain("POP2-HC-16C-32G", (16, 32), 0.4256, (3200, 3200), 4),
        plain("POP2-HC-32C-64G", (32, 64), 0.8512, (6400, 5632), 8),
        plain("POP2-HC-48C-96G", (48, 96), 1.27, (9600, 5632), 12),
        plain("POP2-HC-64C-128G", (64, 128), 1.7024, (12800, 5632), 16),
        plain("POP2-HC-6C-12G", (6, 12), 0.1596, (1200, 1200), 1),
        plain("POP2-HC-12C-24G", (12, 24), 0.3192, (2400, 2400), 3),
        plain("POP2-HC-24C-48G", (24, 48), 0.6384, (4800, 3200), 6),
    ],
);

/// The same with more network.
const POP2_HN: [ServerType; 3] = family(
    COMMON,
    [
        plain("POP2-HN-3", (2, 4), 0.2554, (3000, 400), 1),
        plain("POP2-HN-5", (4, 8), 0.4524, (5000, 800), 1),
        plain("POP2-HN-10", (4, 8), 0.7264, (10000, 800), 1),
    ],
);

/// The same with a Windows licence.
const POP2_WIN: [ServerType; 5] = family(
    Family { windows: true, ..COMMON },
    [
        plain("POP2-16C-64G-WIN", (16, 64), 1.4567, (3200, 3200), 0),
        plain("POP2-2C-8G-WIN", (2, 8), 0.1823, (400, 400), 0),
        plain("POP2-32C-128G-WIN", (32, 128), 2.9133, (6400, 5632), 0),
        plain("POP2-4C-16G-WIN", (4, 16), 0.3637, (800, 800), 0),
        plain("POP2-8C-32G-WIN", (8, 32), 0.7233, (1600, 1600), 0),
    ],
);

/// Shared processors, third generation.
const BASIC3: [ServerType; 12] = family(
    COMMON,
    [
        plain("BASIC3-X2C-4G", (2, 4), 0.039449, (350, 125), 1),
        plain("BASIC3-X2C-8G", (2, 8), 0.059225, (350, 125), 1),
        plain("BASIC3-X4C-8G", (4, 8), 0.079001, (700, 250), 1),
        plain("BASIC3-X4C-16G", (4, 16), 0.11845, (700, 250), 2),
        plain("BASIC3-X8C-16G", (8, 16), 0.177675, (1500, 500), 2),
        plain("BASIC3-X8C-32G", (8, 32), 0.236797, (1500, 500), 4),
        plain("BASIC3-X16C-32G", (16, 32), 0.355247, (3000, 1000), 4),
        plain("BASIC3-X16C-64G", (16, 64), 0.473285, (3000, 1000), 8),
        plain("BASIC3-X6C-12G", (6, 12), 0.1356, (1050, 375), 2),
        plain("BASIC3-X6C-24G", (6, 24), 0.1553, (1050, 375), 2),
        plain("BASIC3-X12C-24G", (12, 24), 0.2711, (2250, 750), 4),
        plain("BASIC3-X12C-48G", (12, 48), 0.3104, (2250, 750), 4),
    ],
);

/// Dedicated processors, third generation, with scratch disks.
const STANDARD3: [ServerType; 10] = family(
    Family { internal_floor_mbps: 4000, ..COMMON },
    [
        scratch(plain("STANDARD3-X2C-8G", (2, 8), 0.0809, (500, 477), 1), 40, 1),
        scratch(plain("STANDARD3-X4C-16G", (4, 16), 0.1617, (1000, 477), 2), 80, 2),
        scratch(plain("STANDARD3-X8C-32G", (8, 32), 0.319, (2000, 477), 4), 160, 2),
        scratch(plain("STANDARD3-X16C-64G", (16, 64), 0.649, (4000, 477), 4), 320, 4),
        scratch(plain("STANDARD3-X32C-128G", (32, 128), 1.298, (8000, 954), 8), 640, 4),
        scratch(plain("STANDARD3-X48C-192G", (48, 192), 1.947, (16000, 1907), 8), 960, 8),
        scratch(plain("STANDARD3-X64C-256G", (64, 256), 2.585, (16000, 1907), 8), 1280, 8),
        monthly(scratch(plain("STANDARD3-X6C-24G", (6, 24), 0.2425, (1500, 477), 3), 120, 2), 177.185),
        scratch(plain("STANDARD3-X12C-48G", (12, 48), 0.4626, (4000, 477), 4), 240, 2),
        scratch(plain("STANDARD3-X24C-96G", (24, 96), 0.9411, (6000, 715), 6), 480, 4),
    ],
);

/// The same with more memory.
const MEMORY3: [ServerType; 9] = family(
    Family { internal_floor_mbps: 4000, ..COMMON },
    [
        scratch(plain("MEMORY3-X2C-16G", (2, 16), 0.1133, (500, 477), 1), 40, 1),
        scratch(plain("MEMORY3-X4C-32G", (4, 32), 0.2266, (1000, 477), 2), 80, 2),
        scratch(plain("MEMORY3-X8C-64G", (8, 64), 0.4532, (2000, 477), 4), 160, 2),
        scratch(plain("MEMORY3-X16C-128G", (16, 128), 0.9064, (4000, 477), 4), 320, 4),
        scratch(plain("MEMORY3-X32C-256G", (32, 256), 1.8128, (8000, 954), 8), 640, 4),
        scratch(plain("MEMORY3-X48C-384G", (48, 384), 2.717, (16000, 1907), 8), 960, 8),
        scratch(plain("MEMORY3-X6C-48G", (6, 48), 0.3399, (1500, 477), 3), 120, 2),
        scratch(plain("MEMORY3-X12C-96G", (12, 96), 0.6798, (4000, 477), 4), 240, 2),
        scratch(plain("MEMORY3-X24C-192G", (24, 192), 1.3596, (6000, 715), 6), 480, 4),
    ],
);

/// The same with less memory.
const COMPUTE3: [ServerType; 11] = family(
    Family { internal_floor_mbps: 4000, ..COMMON },
    [
        scratch(plain("COMPUTE3-X2C-4G", (2, 4), 0.0585, (500, 477), 1), 40, 1),
        scratch(plain("COMPUTE3-X4C-8G", (4, 8), 0.117, (1000, 477), 2), 80, 2),
        scratch(plain("COMPUTE3-X8C-16G", (8, 16), 0.2341, (2000, 477), 4), 160, 2),
        scratch(plain("COMPUTE3-X16C-32G", (16, 32), 0.4682, (4000, 477), 4), 320, 4),
        scratch(plain("COMPUTE3-X32C-64G", (32, 64), 0.9363, (8000, 954), 8), 640, 4),
        scratch(plain("COMPUTE3-X48C-96G", (48, 96), 1.397, (16000, 1907), 8), 960, 8),
        scratch(plain("COMPUTE3-X64C-128G", (64, 128), 1.8726, (16000, 1907), 8), 1280, 8),
        scratch(plain("COMPUTE3-X96C-192G", (96, 192), 2.794, (16000, 1907), 8), 1280, 8),
        monthly(scratch(plain("COMPUTE3-X6C-12G", (6, 12), 0.1756, (1500, 477), 3), 120, 2), 128.1588),
        monthly(scratch(plain("COMPUTE3-X12C-24G", (12, 24), 0.3511, (4000, 477), 4), 240, 2), 256.317),
        monthly(scratch(plain("COMPUTE3-X24C-48G", (24, 48), 0.7022, (6000, 715), 4), 480, 4), 512.3176),
    ],
);

/// ARM, first generation.
const COPARM1: [ServerType; 5] = family(
    Family { arch: ARM, ..COMMON },
    [
        monthly(plain("COPARM1-2C-8G", (2, 8), 0.0426, (200, 80), 0), 31.1),
        monthly(plain("COPARM1-4C-16G", (4, 16), 0.0857, (400, 160), 0), 62.56),
        monthly(plain("COPARM1-8C-32G", (8, 32), 0.1724, (800, 320), 0), 125.85),
        monthly(plain("COPARM1-16C-64G", (16, 64), 0.3454, (1600, 640), 0), 252.14),
        monthly(plain("COPARM1-32C-128G", (32, 128), 0.6935, (3200, 1280), 0), 506.26),
    ],
);

/// ARM, shared processors.
const BASIC2: [ServerType; 12] = family(
    Family { arch: ARM, ..COMMON },
    [
        plain("BASIC2-A2C-4G", (2, 4), 0.023, (200, 80), 0),
        plain("BASIC2-A2C-8G", (2, 8), 0.0345, (200, 80), 0),
        plain("BASIC2-A4C-8G", (4, 8), 0.0517, (400, 120), 0),
        plain("BASIC2-A4C-16G", (4, 16), 0.0689, (400, 120), 0),
        plain("BASIC2-A8C-16G", (8, 16), 0.1034, (800, 240), 0),
        plain("BASIC2-A8C-32G", (8, 32), 0.1378, (800, 240), 0),
        plain("BASIC2-A16C-32G", (16, 32), 0.2067, (1600, 480), 0),
        plain("BASIC2-A16C-64G", (16, 64), 0.2756, (1600, 480), 0),
        plain("BASIC2-A6C-12G", (6, 12), 0.0789, (600, 180), 0),
        plain("BASIC2-A6C-24G", (6, 24), 0.0903, (600, 180), 0),
        plain("BASIC2-A12C-24G", (12, 24), 0.1578, (1200, 320), 0),
        plain("BASIC2-A12C-48G", (12, 48), 0.1807, (1200, 320), 0),
    ],
);

/// ARM, dedicated processors.
const STANDARD2: [ServerType; 10] = family(
    Family { arch: ARM, ..COMMON },
    [
        plain("STANDARD2-A2C-8G", (2, 8), 0.0586, (400, 400), 1),
        plain("STANDARD2-A4C-16G", (4, 16), 0.1171, (800, 800), 2),
        plain("STANDARD2-A8C-32G", (8, 32), 0.2343, (1600, 1600), 4),
        plain("STANDARD2-A16C-64G", (16, 64), 0.5039, (3200, 3200), 4),
        plain("STANDARD2-A32C-128G", (32, 128), 1.1978, (6400, 4800), 8),
        plain("STANDARD2-A48C-192G", (48, 192), 1.5117, (9600, 4800), 8),
        plain("STANDARD2-A64C-256G", (64, 256), 2.0142, (12800, 4800), 8),
        plain("STANDARD2-A6C-24G", (6, 24), 0.1533, (1200, 1200), 3),
        plain("STANDARD2-A12C-48G", (12, 48), 0.3068, (2400, 2400), 4),
        plain("STANDARD2-A24C-96G", (24, 96), 0.6551, (4800, 4800), 6),
    ],
);

/// One older graphics card.
const RENDER: [ServerType; 1] = family(
    Family { zones: &["fr-par-1", "fr-par-2"], ..COMMON },
    [gpu(local(plain("RENDER-S", (10, 42), 1.221, (2000, 2048), 0), 400), 1, "P100", 16)],
);

/// L4 cards, block storage only.
const L4: [ServerType; 4] = family(
    Family { zones: &["fr-par-1", "fr-par-2", "pl-waw-2"], ..COMMON },
    [
        gpu(plain("L4-1-24G", (8, 48), 0.7875, (2500, 1000), 2), 1, "L4", 24),
        gpu(plain("L4-2-24G", (16, 96), 1.575, (5000, 1500), 4), 2, "L4", 24),
        gpu(plain("L4-4-24G", (32, 192), 3.15, (10000, 2500), 8), 4, "L4", 24),
        gpu(plain("L4-8-24G", (64, 384), 6.3, (20000, 5000), 16), 8, "L4", 24),
    ],
);

/// L40S cards.
const L40S: [ServerType; 4] = family(
    Family { zones: &["fr-par-2", "pl-waw-2"], ..COMMON },
    [
        gpu(scratch(plain("L40S-1-48G", (8, 96), 1.469916, (2500, 1000), 2), 1600, 1), 1, "L40S", 48),
        gpu(scratch(plain("L40S-2-48G", (16, 192), 2.939832, (5000, 2000), 4), 3200, 2), 2, "L40S", 48),
        gpu(scratch(plain("L40S-4-48G", (32, 384), 5.879664, (10000, 4000), 8), 6400, 4), 4, "L40S", 48),
        gpu(scratch(plain("L40S-8-48G", (64, 768), 11.759328, (20000, 8000), 16), 12800, 8), 8, "L40S", 48),
    ],
);

/// H100 cards on PCIe.
const H100: [ServerType; 2] = family(
    Family { zones: &["fr-par-2", "pl-waw-2"], ..COMMON },
    [
        gpu(scratch(plain("H100-1-80G", (24, 240), 2.8665, (10000, 2000), 8), 3000, 1), 1, "H100", 80),
        gpu(scratch(plain("H100-2-80G", (48, 480), 5.7330, (20000, 4000), 16), 6000, 2), 2, "H100", 80),
    ],
);

/// H100 cards that are linked.
const H100_SXM: [ServerType; 3] = family(
    Family { zones: &["fr-par-2"], ..COMMON },
    [
        gpu(scratch(plain("H100-SXM-2-80G", (32, 240), 6.3189, (20000, 5000), 16), 3200, 2), 2, "H100-SXM", 80),
        gpu(scratch(plain("H100-SXM-4-80G", (64, 480), 12.1905, (20000, 5000), 16), 6400, 4), 4, "H100-SXM", 80),
        gpu(scratch(plain("H100-SXM-8-80G", (128, 960), 24.1794, (20000, 5000), 16), 12800, 8), 8, "H100-SXM", 80),
    ],
);

/// B300 cards that are linked.
const B300_SXM: [ServerType; 3] = family(
    Family { zones: &["fr-par-2"], ..COMMON },
    [
        gpu(scratch(plain("B300-SXM-2-288G", (56, 960), 15.0, (20000, 5000), 16), 5800, 2), 2, "B300-SXM", 288),
        gpu(scratch(plain("B300-SXM-4-288G", (112, 1920), 30.0, (20000, 5000), 16), 11600, 4), 4, "B300-SXM", 288),
        gpu(scratch(plain("B300-SXM-8-288G", (224, 3840), 60.0, (20000, 5000), 16), 23200, 8), 8, "B300-SXM", 288),
    ],
);
