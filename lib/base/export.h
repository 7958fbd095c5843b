/* Marks a function as part of the public ABI; everything else is hidden. lib/libsecsip.map names the same functions,
 * and a test compares the two with the headers. Layer: base. */
#ifndef SSI_BASE_EXPORT_H
#define SSI_BASE_EXPORT_H

#define SECSIP_EXPORT __attribute__((visibility("default")))

#endif
