# One VM on a Berth, by the public provider of Fluence's API. Nothing in it is Berth's but the address and the size.

terraform {
  required_version = ">= 1.0"
  required_providers {
    fluence = {
      # The address under which the provider's own README has it built and installed; see README.md.
      source = "hashicorp.com/decentralized-infrastructure/fluence"
    }
  }
}

variable "berth_url" {
  description = "Where your Berth serves its API, without a path"
  type        = string
  default     = "http://127.0.0.1:8080"
}

variable "public_key" {
  description = "The SSH key that may log in, as it stands in id_ed25519.pub"
  type        = string
}

variable "image" {
  description = "URL of an OS image that the Berth's hosts can reach; GET /vms/v3/default_images lists some"
  type        = string
}

provider "fluence" {
  host = var.berth_url
  # The key is taken from the environment: FLUENCE_API_KEY
}

resource "fluence_ssh_key" "me" {
  name       = "terraform"
  public_key = var.public_key
}

resource "fluence_vm" "web" {
  name                = "web-1"
  os_image            = var.image
  ssh_keys            = [fluence_ssh_key.me.fingerprint]
  basic_configuration = "cpu-1-ram-1gb-storage-5gb"
  instances           = 1

  # A change of this list replaces the open ports literally, so 22 belongs in it.
  open_ports = [
    { port = 22, protocol = "tcp" },
    { port = 80, protocol = "tcp" },
  ]
}

output "address" {
  value = fluence_vm.web.public_ip
}

output "price_per_epoch" {
  value = fluence_vm.web.price_per_epoch
}
